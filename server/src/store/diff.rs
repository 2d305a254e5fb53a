//! What an import changes: the stored catalogue compared with a file, as rows to write and changes
//! to tell. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::error::Error;
use super::products::Product;
use super::types::Id;
use crate::domain::{Country, PlanId, ProductId, Rule};
use crate::edition::{AppliesTo, Edition, EditionRule, RuleSet};

/// What happened to a product, a plan or a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// New, or back. The numbers are those of the journal.
    Added = 1,
    /// Has another name.
    Renamed,
    /// Is for other holders.
    Changed,
    /// Retired; a rule: deleted.
    Removed,
}

/// Something that an import changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueChange {
    /// What happened.
    pub kind: ChangeKind,
    /// The product, unless it is about a rule or the name of a plan.
    pub product: Option<ProductId>,
    /// The plan, unless it is about a product as a whole.
    pub plan: Option<PlanId>,
    /// Name now; the rule in words.
    pub name: String,
    /// Name before, if it was another.
    pub previous: String,
}

/// The catalogue as it is.
pub(super) struct StoredEdition {
    products: BTreeMap<ProductId, Product>,
    plans: HashMap<PlanId, (String, String)>,
    pairs: BTreeMap<(ProductId, PlanId), bool>,
}

impl StoredEdition {
    pub(super) fn new(
        products: Vec<Product>,
        plans: Vec<(Id, String, String)>,
        pairs: Vec<(Id, Id, bool)>,
    ) -> Self {
        let plan = |(id, name, display): (Id, String, String)| (id.into(), (name, display));
        let pair =
            |(product, plan, retired): (Id, Id, bool)| ((product.into(), plan.into()), retired);
        Self {
            products: products
                .into_iter()
                .map(|product| (product.product_id, product))
                .collect(),
            plans: plans.into_iter().map(plan).collect(),
            pairs: pairs.into_iter().map(pair).collect(),
        }
    }
}

/// Rows to write and changes to tell.
#[derive(Default)]
pub(super) struct EditionDiff {
    pub(super) products: Vec<Product>,
    pub(super) plans: Vec<(PlanId, String, String)>,
    pub(super) pairs: Vec<(ProductId, PlanId, bool)>,
    pub(super) changes: Vec<CatalogueChange>,
}

impl EditionDiff {
    pub(super) fn new(stored: &StoredEdition, edition: &Edition) -> Self {
        let mut diff = Self::default();
        for plan in &edition.plans {
            diff.plan(stored, PlanId(plan.id), &plan.name, &plan.display_name);
        }
        let names: HashMap<PlanId, &str> = edition
            .plans
            .iter()
            .map(|plan| (PlanId(plan.id), plan.name.as_str()))
            .collect();
        let mut listed = HashSet::new();
        for product in &edition.products {
            let id = ProductId(product.id);
            listed.insert(id);
            let before = stored.products.get(&id);
            let for_company = match product.applies_to {
                Some(applies_to) => applies_to == AppliesTo::Company,
                None => before.is_some_and(|before| before.for_company),
            };
            let (display_name, string_id) =
                (product.display_name.clone(), product.string_id.clone());
            let (product_id, retired) = (id, false);
            diff.product(
                before,
                Product {
                    product_id,
                    display_name,
                    string_id,
                    for_company,
                    later_plans: before.map(|before| before.later_plans).unwrap_or_default(),
                    retired,
                },
            );
            let plans: BTreeSet<PlanId> = product.plan_ids.iter().map(|id| PlanId(*id)).collect();
            diff.product_plans(stored, id, before.is_none(), &plans, &names);
        }
        let missing = stored
            .products
            .values()
            .filter(|product| !listed.contains(&product.product_id));
        for product in missing.filter(|product| !product.retired) {
            let name = product.display_name.clone();
            diff.change(
                ChangeKind::Removed,
                Some(product.product_id),
                None,
                name,
                String::new(),
            );
            diff.products.push(Product {
                retired: true,
                ..product.clone()
            });
        }
        diff
    }

    pub(super) fn is_empty(&self) -> bool {
        self.products.is_empty() && self.plans.is_empty() && self.pairs.is_empty()
    }

    fn plan(&mut self, stored: &StoredEdition, id: PlanId, name: &str, display_name: &str) {
        let row = (id, name.to_owned(), display_name.to_owned());
        match stored.plans.get(&id) {
            None => self.plans.push(row),
            Some((old, old_display)) if old != name || old_display != display_name => {
                let (now, before) = if old == name {
                    (display_name, old_display)
                } else {
                    (name, old)
                };
                let (now, before) = (now.to_owned(), before.clone());
                self.change(ChangeKind::Renamed, None, Some(id), now, before);
                self.plans.push(row);
            }
            Some(_) => {}
        }
    }

    fn product(&mut self, before: Option<&Product>, now: Product) {
        let id = Some(now.product_id);
        let name = now.display_name.clone();
        let Some(before) = before else {
            self.change(ChangeKind::Added, id, None, name, String::new());
            return self.products.push(now);
        };
        if before.retired {
            self.change(ChangeKind::Added, id, None, name.clone(), String::new());
        }
        if before.display_name != now.display_name {
            let previous = before.display_name.clone();
            self.change(ChangeKind::Renamed, id, None, name, previous);
        } else if before.string_id != now.string_id {
            let (now, previous) = (now.string_id.clone(), before.string_id.clone());
            self.change(ChangeKind::Renamed, id, None, now, previous);
        }
        if before.for_company != now.for_company {
            let holder = |company| if company { "Company" } else { "User" }.to_owned();
            let (now, previous) = (holder(now.for_company), holder(before.for_company));
            self.change(ChangeKind::Changed, id, None, now, previous);
        }
        if *before != now {
            self.products.push(now);
        }
    }

    fn product_plans(
        &mut self,
        stored: &StoredEdition,
        product: ProductId,
        is_new: bool,
        plans: &BTreeSet<PlanId>,
        names: &HashMap<PlanId, &str>,
    ) {
        for &plan in plans {
            if stored.pairs.get(&(product, plan)) != Some(&false) {
                self.pairs.push((product, plan, false));
                if !is_new {
                    let name = names.get(&plan).copied().unwrap_or_default().to_owned();
                    let id = Some(product);
                    self.change(ChangeKind::Added, id, Some(plan), name, String::new());
                }
            }
        }
        let nil = PlanId(uuid::Uuid::nil());
        let pairs = stored
            .pairs
            .range((product, nil)..)
            .take_while(|((p, _), _)| *p == product);
        for ((_, plan), retired) in pairs {
            if !retired && !plans.contains(plan) {
                self.pairs.push((product, *plan, true));
                let name = stored
                    .plans
                    .get(plan)
                    .map(|(name, _)| name.clone())
                    .unwrap_or_default();
                self.change(
                    ChangeKind::Removed,
                    Some(product),
                    Some(*plan),
                    name,
                    String::new(),
                );
            }
        }
    }

    fn change(
        &mut self,
        kind: ChangeKind,
        product: Option<ProductId>,
        plan: Option<PlanId>,
        name: String,
        previous: String,
    ) {
        self.changes.push(CatalogueChange {
            kind,
            product,
            plan,
            name,
            previous,
        });
    }
}

/// A rule as stored, with the names that its file gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRule {
    /// 1 excludes, 2 requires any of, 3 prohibited in.
    pub kind: i16,
    /// The plan that it is about.
    pub plan: PlanId,
    /// The plan's name.
    pub plan_name: String,
    /// The other side as text: part of the key.
    pub other: String,
    /// The other plans with their names.
    pub others: Vec<(PlanId, String)>,
    /// The rule.
    pub rule: Rule,
}

/// Kind, plan, other side, and the names of both.
pub(super) type RuleRow = (i16, Id, String, String, String);

/// The key of a rule.
pub(super) fn rule_key(row: &RuleRow) -> (i16, Id, String) {
    (row.0, row.1, row.2.clone())
}

impl TryFrom<RuleRow> for StoredRule {
    type Error = Error;

    fn try_from((kind, plan, other, plan_name, other_names): RuleRow) -> Result<Self, Error> {
        let plan = PlanId::from(plan);
        let damaged = || Error::Broken(format!("stored rule {kind} {plan} {other} is damaged"));
        if kind == 3 {
            let country = Country::parse(&other).map_err(|_| damaged())?;
            let rule = Rule::ProhibitedIn { plan, country };
            return Ok(Self {
                kind,
                plan,
                plan_name,
                other,
                others: Vec::new(),
                rule,
            });
        }
        let ids: Result<Vec<_>, _> = other.split('|').map(PlanId::parse).collect();
        let ids = ids.map_err(|_| damaged())?;
        let rule = match (kind, ids.as_slice()) {
            (1, &[other]) => Rule::Excludes { plan, other },
            (2, others) => Rule::RequiresAnyOf {
                plan,
                others: others.to_vec(),
            },
            _ => return Err(damaged()),
        };
        let others = ids
            .into_iter()
            .zip(other_names.split('|').map(str::to_owned))
            .collect();
        Ok(Self {
            kind,
            plan,
            plan_name,
            other,
            others,
            rule,
        })
    }
}

/// Rows to write and delete and changes to tell.
pub(super) struct RulesDiff {
    pub(super) written: Vec<RuleRow>,
    pub(super) removed: Vec<(i16, Id, String)>,
    pub(super) changes: Vec<CatalogueChange>,
}

impl RulesDiff {
    pub(super) fn new(stored: &[RuleRow], rules: &RuleSet) -> Self {
        let before: BTreeMap<_, _> = stored.iter().map(|row| (rule_key(row), row)).collect();
        let after: BTreeMap<_, _> = rules
            .rules
            .iter()
            .map(|rule| row(rule, rules))
            .map(|row| (rule_key(&row), row))
            .collect();
        let mut diff = Self {
            written: Vec::new(),
            removed: Vec::new(),
            changes: Vec::new(),
        };
        for (key, row) in &after {
            let added = change(ChangeKind::Added, row);
            match before.get(key) {
                Some(before) if *before == row => continue,
                Some(before) => diff.changes.push(CatalogueChange {
                    kind: ChangeKind::Renamed,
                    previous: change(ChangeKind::Removed, before).name,
                    ..added
                }),
                None => diff.changes.push(added),
            }
            diff.written.push(row.clone());
        }
        for (key, row) in before {
            if !after.contains_key(&key) {
                diff.changes.push(change(ChangeKind::Removed, row));
                diff.removed.push(key);
            }
        }
        diff
    }

    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }
}

fn row(rule: &EditionRule, rules: &RuleSet) -> RuleRow {
    let name = |plan| rules.plan_names.get(plan).cloned().unwrap_or_default();
    let join = |texts: Vec<String>| texts.join("|");
    match rule {
        EditionRule::Excludes { plan, other } => {
            (1, Id(*plan), other.to_string(), name(plan), name(other))
        }
        EditionRule::RequiresAnyOf { plan, others } => {
            let ids = join(others.iter().map(ToString::to_string).collect());
            (
                2,
                Id(*plan),
                ids,
                name(plan),
                join(others.iter().map(name).collect()),
            )
        }
        EditionRule::ProhibitedIn { plan, country } => {
            (3, Id(*plan), country.clone(), name(plan), String::new())
        }
    }
}

fn change(
    kind: ChangeKind,
    (rule, plan, other, plan_name, other_names): &RuleRow,
) -> CatalogueChange {
    let verb = match rule {
        1 => "excludes",
        2 => "requires any of",
        _ => "is prohibited in",
    };
    let other = if *rule == 3 { other } else { other_names };
    let name = format!("{plan_name} {verb} {}", other.replace('|', ", "));
    let (product, plan, previous) = (None, Some((*plan).into()), String::new());
    CatalogueChange {
        kind,
        product,
        plan,
        name,
        previous,
    }
}
