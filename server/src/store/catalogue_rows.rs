//! The catalogue as rows: read at one version on any connection, made into what the rules see, and
//! into what an import would make of it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::diff::{EditionDiff, RuleRow, RulesDiff, StoredEdition, StoredRule, rule_key};
use super::error::Error;
use super::products::Product;
use super::schema::{
    installation as i, product_plans as pp, products as p, rules as r, service_plans as sp,
};
use super::sqlite;
use super::types::Id;
use crate::domain::{Catalogue, NewProduct, PlanId, ProductPlan};
use crate::edition::{Edition, RuleSet};

/// Every row of the catalogue at one version.
pub(super) struct CatalogueRows {
    pub(super) version: i64,
    products: Vec<Product>,
    /// With technical name and name for people.
    plans: Vec<(Id, String, String)>,
    /// Whether the product has lost the plan.
    pairs: Vec<(Id, Id, bool)>,
    /// By kind, plan and other side.
    rules: Vec<RuleRow>,
}

/// Reads the catalogue.
pub(super) trait ReadCatalogue {
    async fn catalogue_rows(&mut self) -> Result<CatalogueRows, Error>;
}

macro_rules! read_catalogue {
    ($($conn:ty)*) => { $(
        impl ReadCatalogue for $conn {
            async fn catalogue_rows(&mut self) -> Result<CatalogueRows, Error> {
                loop {
                    let version = i::table.find(1).select(i::catalogue_version);
                    let rows = CatalogueRows {
                        version: version.first(self).await?,
                        products: p::table.select(Product::as_select()).load(self).await?,
                        plans: sp::table.load(self).await?,
                        pairs: pp::table
                            .select((pp::product_id, pp::plan_id, pp::retired))
                            .load(self)
                            .await?,
                        rules: r::table.order((r::kind, r::plan_id, r::other)).load(self).await?,
                    };
                    // Several statements may see several moments; an import in between shows in the
                    // version.
                    if version.first::<i64>(self).await? == rows.version {
                        return Ok(rows);
                    }
                }
            }
        }
    )* };
}

read_catalogue!(AsyncPgConnection sqlite::Connection);

impl CatalogueRows {
    /// What the rules see.
    pub(super) fn catalogue(&self) -> Result<Catalogue, Error> {
        let rules = self.rules.iter().cloned().map(StoredRule::try_from);
        let rules: Vec<StoredRule> = rules.collect::<Result<_, _>>()?;
        let names = rules.iter().flat_map(|rule| {
            let plan = (rule.plan, rule.plan_name.clone());
            std::iter::once(plan).chain(rule.others.iter().cloned())
        });
        let plans = self.plans.iter();
        let plans = plans.map(|(id, name, _)| (PlanId::from(*id), name.clone()));
        let pair = |(product, plan, retired): &(Id, Id, bool)| ProductPlan {
            product: (*product).into(),
            plan: (*plan).into(),
            retired: *retired,
        };
        Ok(Catalogue::new(
            self.version,
            self.products.iter().map(new_product),
            // A plan's own name comes last and wins over the one in a rule.
            names.chain(plans),
            self.pairs.iter().map(pair),
            rules.iter().map(|rule| rule.rule.clone()),
        ))
    }

    /// What an edition would change.
    pub(super) fn compare_edition(&self, edition: &Edition) -> EditionDiff {
        let stored = StoredEdition::new(
            self.products.clone(),
            self.plans.clone(),
            self.pairs.clone(),
        );
        EditionDiff::new(&stored, edition)
    }

    /// What a set of rules would change.
    pub(super) fn compare_rules(&self, rules: &RuleSet) -> RulesDiff {
        RulesDiff::new(&self.rules, rules)
    }

    /// The rows as an import would leave them that changes this.
    pub(super) fn with_edition(mut self, diff: &EditionDiff) -> Self {
        self.version += i64::from(!diff.is_empty());
        let products = self.products.into_iter().chain(diff.products.clone());
        let products: BTreeMap<_, _> = products.map(|row| (row.product_id, row)).collect();
        let plans = diff.plans.iter().cloned();
        let plans = plans.map(|(id, name, display_name)| (Id::from(id), name, display_name));
        let plans = self.plans.into_iter().chain(plans);
        let plans: BTreeMap<_, _> = plans.map(|row| (row.0, row)).collect();
        let pairs = diff.pairs.iter();
        let pairs =
            pairs.map(|(product, plan, retired)| ((*product).into(), (*plan).into(), *retired));
        let pairs = self.pairs.into_iter().chain(pairs);
        let pairs: BTreeMap<_, _> = pairs.map(|row| ((row.0, row.1), row)).collect();
        self.products = products.into_values().collect();
        self.plans = plans.into_values().collect();
        self.pairs = pairs.into_values().collect();
        self
    }

    /// The rows as an import would leave them that changes this.
    pub(super) fn with_rules(mut self, diff: &RulesDiff) -> Self {
        self.version += i64::from(!diff.is_empty());
        let rules = self.rules.into_iter().chain(diff.written.iter().cloned());
        let mut rules: BTreeMap<_, _> = rules.map(|row| (rule_key(&row), row)).collect();
        for key in &diff.removed {
            rules.remove(key);
        }
        self.rules = rules.into_values().collect();
        self
    }
}

fn new_product(product: &Product) -> NewProduct {
    NewProduct {
        id: product.product_id,
        display_name: product.display_name.clone(),
        for_company: product.for_company,
        later_plans: product.later_plans,
    }
}
