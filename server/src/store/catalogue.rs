//! The catalogue: reading it whole for the rules and page by page for people, and importing it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Store;
use super::catalogue_rows::{CatalogueRows, ReadCatalogue};
use super::diff::{CatalogueChange, ChangeKind, StoredRule};
use super::error::Error;
use super::journal::Journal;
use super::later_plans::encode_later_plans;
use super::products::{Product, not_found};
use super::record::Draft;
use super::schema::{
    installation as i, product_plans as pp, products as p, rules as r, service_plans as sp,
};
use super::types::{Id, Timestamp};
use crate::domain::{
    Catalogue, CatalogueRecord, INSTALLATION, LaterPlans, Origin, PlanId, ProductId, Record, fold,
};
use crate::edition::{Edition, RuleSet};

/// Takes turns with every other change of the catalogue and gives its version.
macro_rules! lock_catalogue {
    ($conn:expr) => {
        diesel::update(i::table.find(1))
            .set(i::catalogue_version.eq(i::catalogue_version))
            .returning(i::catalogue_version)
            .get_result::<i64>($conn)
            .await?
    };
}
macro_rules! set_catalogue_version {
    ($conn:expr, $version:expr) => {
        diesel::update(i::table.find(1))
            .set(i::catalogue_version.eq($version))
            .execute($conn)
            .await?
    };
}

/// What an import did.
#[derive(Debug, Clone)]
pub struct ImportOutcome {
    /// Every change.
    pub changes: Vec<CatalogueChange>,
    /// The version of the catalogue now.
    pub version: i64,
}

/// What an import would do.
#[derive(Debug)]
pub struct ImportPreview {
    /// What it would change, and the version that it would make.
    pub outcome: ImportOutcome,
    /// The catalogue as it is.
    pub now: Catalogue,
    /// The catalogue as it would be.
    pub then: Catalogue,
}

impl ImportPreview {
    fn new(
        now: Catalogue,
        then: &CatalogueRows,
        changes: Vec<CatalogueChange>,
    ) -> Result<Self, Error> {
        let outcome = ImportOutcome {
            changes,
            version: then.version,
        };
        let then = then.catalogue()?;
        Ok(Self { outcome, now, then })
    }
}

impl Store {
    /// The version of the catalogue. It grows with every change.
    pub async fn catalogue_version(&self) -> Result<i64, Error> {
        read!(self, conn => {
            i::table.find(1).select(i::catalogue_version).first(conn).await
        })
    }

    /// Reads the whole catalogue at one version.
    pub async fn catalogue(&self) -> Result<Catalogue, Error> {
        read!(self, conn => conn.catalogue_rows().await)?.catalogue()
    }

    /// Says what the import of an edition would change.
    pub async fn preview_edition(&self, edition: &Edition) -> Result<ImportPreview, Error> {
        let rows = read!(self, conn => conn.catalogue_rows().await)?;
        let diff = rows.compare_edition(edition);
        ImportPreview::new(rows.catalogue()?, &rows.with_edition(&diff), diff.changes)
    }

    /// Says what the import of a set of rules would change.
    pub async fn preview_rules(&self, rules: &RuleSet) -> Result<ImportPreview, Error> {
        let rows = read!(self, conn => conn.catalogue_rows().await)?;
        let diff = rows.compare_rules(rules);
        ImportPreview::new(rows.catalogue()?, &rows.with_rules(&diff), diff.changes)
    }

    /// Returns up to `limit` rules after `after`, by kind, plan and other side.
    pub async fn rules(
        &self,
        after: Option<(i16, PlanId, &str)>,
        limit: i64,
    ) -> Result<Vec<StoredRule>, Error> {
        let rows: Vec<(i16, Id, String, String, String)> = read!(self, conn => {
            let mut page = r::table
                .order((r::kind, r::plan_id, r::other))
                .limit(limit)
                .into_boxed();
            if let Some((kind, plan, other)) = after {
                let plan = Id::from(plan);
                let in_plan = r::plan_id.eq(plan).and(r::other.gt(other.to_owned()));
                let in_kind = r::kind.eq(kind).and(r::plan_id.gt(plan).or(in_plan));
                page = page.filter(r::kind.gt(kind).or(in_kind));
            }
            page.load(conn).await
        })?;
        rows.into_iter().map(StoredRule::try_from).collect()
    }

    /// Changes who can hold a product and what becomes of plans that are added later; `None` leaves
    /// it as it is.
    pub async fn update_product(
        &self,
        id: ProductId,
        for_company: Option<bool>,
        later_plans: Option<LaterPlans>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        write_tx!(self, conn => {
            let version = lock_catalogue!(conn);
            let found: Option<Product> = p::table
                .find(Id::from(id))
                .select(Product::as_select())
                .first(conn)
                .await
                .optional()?;
            let before = found.ok_or_else(|| not_found(id))?;
            let after = Product {
                for_company: for_company.unwrap_or(before.for_company),
                later_plans: later_plans.unwrap_or(before.later_plans),
                ..before.clone()
            };
            if after != before {
                diesel::update(p::table.find(Id::from(id)))
                    .set((
                        p::for_company.eq(after.for_company),
                        p::later_plans.eq(encode_later_plans(Some(after.later_plans))),
                    ))
                    .execute(conn)
                    .await?;
                set_catalogue_version!(conn, version + 1);
                let record = Record::Catalogue(settings_record(&before, &after));
                conn.record(Draft::new(INSTALLATION, origin, now).record(&record)).await?;
            }
            Ok(())
        })
    }

    /// Imports a whole edition: what it lacks is retired.
    pub async fn import_edition(
        &self,
        edition: &Edition,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<ImportOutcome, Error> {
        write_tx!(self, conn => {
            let version = lock_catalogue!(conn);
            let diff = conn.catalogue_rows().await?.compare_edition(edition);
            for product in &diff.products {
                let values = (
                    p::display_name.eq(&product.display_name),
                    p::sort_key.eq(fold(&product.display_name)),
                    p::string_id.eq(&product.string_id),
                    p::string_key.eq(fold(&product.string_id)),
                    p::for_company.eq(product.for_company),
                    p::retired.eq(product.retired),
                );
                diesel::insert_into(p::table)
                    .values((
                        p::product_id.eq(Id::from(product.product_id)),
                        p::later_plans.eq(encode_later_plans(Some(product.later_plans))),
                        values.clone(),
                    ))
                    .on_conflict(p::product_id)
                    .do_update()
                    .set(values)
                    .execute(conn)
                    .await?;
            }
            for (id, name, display_name) in &diff.plans {
                let values = (sp::name.eq(name), sp::display_name.eq(display_name));
                diesel::insert_into(sp::table)
                    .values((sp::plan_id.eq(Id::from(*id)), values))
                    .on_conflict(sp::plan_id)
                    .do_update()
                    .set(values)
                    .execute(conn)
                    .await?;
            }
            for (product, plan, retired) in &diff.pairs {
                let key = (
                    pp::product_id.eq(Id::from(*product)),
                    pp::plan_id.eq(Id::from(*plan)),
                );
                diesel::insert_into(pp::table)
                    .values((key, pp::retired.eq(*retired), pp::added_version.eq(version + 1)))
                    .on_conflict((pp::product_id, pp::plan_id))
                    .do_update()
                    .set(pp::retired.eq(*retired))
                    .execute(conn)
                    .await?;
            }
            let version = version + i64::from(!diff.is_empty());
            set_catalogue_version!(conn, version);
            let records = diff.changes.iter().map(import_record);
            conn.record(Draft::new(INSTALLATION, origin, now).records(records)).await?;
            Ok(ImportOutcome { changes: diff.changes, version })
        })
    }

    /// Imports a whole set of rules: what it lacks is deleted.
    pub async fn import_rules(
        &self,
        rules: &RuleSet,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<ImportOutcome, Error> {
        write_tx!(self, conn => {
            let version = lock_catalogue!(conn);
            let diff = conn.catalogue_rows().await?.compare_rules(rules);
            for (kind, plan, other) in &diff.removed {
                diesel::delete(r::table.find((kind, plan, other))).execute(conn).await?;
            }
            for (kind, plan, other, plan_name, other_names) in &diff.written {
                let names = (r::plan_name.eq(plan_name), r::other_names.eq(other_names));
                diesel::insert_into(r::table)
                    .values((r::kind.eq(kind), r::plan_id.eq(plan), r::other.eq(other), names))
                    .on_conflict((r::kind, r::plan_id, r::other))
                    .do_update()
                    .set(names)
                    .execute(conn)
                    .await?;
            }
            let version = version + i64::from(!diff.is_empty());
            set_catalogue_version!(conn, version);
            let records = diff.changes.iter().map(import_record);
            conn.record(Draft::new(INSTALLATION, origin, now).records(records)).await?;
            Ok(ImportOutcome { changes: diff.changes, version })
        })
    }
}

fn import_record(change: &CatalogueChange) -> Record {
    Record::Catalogue(CatalogueRecord {
        kind: change.kind as u8,
        product: change.product,
        plan: change.plan,
        now: change.name.clone(),
        before: change.previous.clone(),
    })
}

/// What is recorded when a product's settings become others.
fn settings_record(before: &Product, after: &Product) -> CatalogueRecord {
    let text = |product: &Product| {
        let holder = if product.for_company {
            "company"
        } else {
            "user"
        };
        let later = match product.later_plans {
            LaterPlans::On => "on",
            LaterPlans::Off => "off",
        };
        format!("applies to {holder}, later plans {later}")
    };
    CatalogueRecord {
        kind: ChangeKind::Changed as u8,
        product: Some(after.product_id),
        plan: None,
        now: text(after),
        before: text(before),
    }
}
