//! Changes of a batch request become domain types here: products and what is asked of their plans.

use std::collections::HashSet;

use seatwise_proto::v1::{self, ErrorReason};
use tonic::Status;

use super::parse::{Fields, too_many};
use super::status::{refuse, unknown_plan};
use crate::domain::{Assign, Catalogue, Change, PlanChoice, PlanEdit, PlanId, ProductId, Replace};
use crate::service::Refusal;

/// Products in each list of a change.
const CHANGE_PRODUCTS_MAX: usize = 100;
/// Products that a change may keep.
const KEPT_PRODUCTS_MAX: usize = 1_000;
/// Plans in each list of a choice.
const CHOICE_PLANS_MAX: usize = 1_000;

/// Reads a change. What is wrong with a field is noted; what cannot be told together with that is
/// returned.
pub(super) fn parse_change(
    catalogue: &Catalogue,
    fields: &mut Fields,
    path: &str,
    change: &v1::Change,
) -> Result<Change, Status> {
    let kept = change.revoke_others.as_ref();
    let kept = kept.map(|others| others.keep_product_ids.as_slice());
    for (field, len, max) in [
        ("assign", change.assign.len(), CHANGE_PRODUCTS_MAX),
        (
            "revoke_product_ids",
            change.revoke_product_ids.len(),
            CHANGE_PRODUCTS_MAX,
        ),
        ("replace", change.replace.len(), CHANGE_PRODUCTS_MAX),
        (
            "revoke_others.keep_product_ids",
            kept.map_or(0, <[String]>::len),
            KEPT_PRODUCTS_MAX,
        ),
    ] {
        if len > max {
            return Err(too_many(&format!("{path}.{field}"), len, max));
        }
    }
    let nothing = change.assign.is_empty()
        && change.revoke_product_ids.is_empty()
        && change.replace.is_empty()
        && kept.is_none();
    if nothing {
        fields.wrong(path, "must assign, revoke or replace at least one product");
    }
    let mut parser = Parser {
        catalogue,
        fields,
        seen: HashSet::new(),
    };
    let mut parsed = Change::default();
    for (index, assign) in change.assign.iter().enumerate() {
        let field = format!("{path}.assign[{index}]");
        let product = parser.product(&format!("{field}.product_id"), &assign.product_id)?;
        if let Some(product) = product {
            let plans = parser.plans(&format!("{field}.plans"), product, assign.plans.as_ref())?;
            parsed.assign.push(Assign { product, plans });
        }
    }
    for (index, product) in change.revoke_product_ids.iter().enumerate() {
        let field = format!("{path}.revoke_product_ids[{index}]");
        parsed.revoke.extend(parser.product(&field, product)?);
    }
    for (index, replace) in change.replace.iter().enumerate() {
        let field = format!("{path}.replace[{index}]");
        let product = parser.product(&format!("{field}.product_id"), &replace.product_id)?;
        let by = parser.product(&format!("{field}.by_product_id"), &replace.by_product_id)?;
        if let Some((product, by)) = product.zip(by) {
            let plans = parser.plans(&format!("{field}.plans"), by, replace.plans.as_ref())?;
            parsed.replace.push(Replace { product, by, plans });
        }
    }
    if let Some(kept) = kept {
        let mut products = Vec::with_capacity(kept.len());
        for (index, product) in kept.iter().enumerate() {
            let field = format!("{path}.revoke_others.keep_product_ids[{index}]");
            products.extend(parser.product(&field, product)?);
        }
        parsed.revoke_others = Some(products);
    }
    Ok(parsed)
}

/// A plan that the change turns on and its product no longer has. To leave one out is right: choices
/// made before it was retired do so.
pub(super) fn retired_plan(catalogue: &Catalogue, path: &str, change: &Change) -> Option<Refusal> {
    let assigned = change.assign.iter().enumerate().map(|(index, assign)| {
        let field = format!("{path}.assign[{index}].plans");
        (field, assign.product, assign.plans.as_ref())
    });
    let replaced = change.replace.iter().enumerate().map(|(index, replace)| {
        let field = format!("{path}.replace[{index}].plans");
        (field, replace.by, replace.plans.as_ref())
    });
    assigned.chain(replaced).find_map(|(field, id, plans)| {
        let product = catalogue.product(id)?;
        let (name, plans) = match plans? {
            PlanEdit::Set(PlanChoice::Only(plans)) => ("only.plan_ids", plans),
            PlanEdit::Delta { enable, .. } => ("delta.enable_plan_ids", enable),
            PlanEdit::Set(PlanChoice::AllExcept(_)) => return None,
        };
        let is_retired = |plan: &&PlanId| catalogue.has_plan(product, **plan) == Some(true);
        let plan = *plans.iter().find(is_retired)?;
        Some(Refusal::PlanRetired {
            field: format!("{field}.{name}"),
            product: id,
            plan,
        })
    })
}

struct Parser<'a> {
    catalogue: &'a Catalogue,
    fields: &'a mut Fields,
    /// No product may be named twice.
    seen: HashSet<ProductId>,
}

impl Parser<'_> {
    fn product(&mut self, field: &str, text: &str) -> Result<Option<ProductId>, Status> {
        let Some(product) = self.fields.take(field, ProductId::parse(text)) else {
            return Ok(None);
        };
        let metadata = [
            ("field", field.to_owned()),
            ("productId", product.to_string()),
        ];
        if self.catalogue.product(product).is_none() {
            let message = format!("{field}: the catalogue has no product {product}");
            return Err(refuse(ErrorReason::UnknownProduct, message, &metadata));
        }
        if !self.seen.insert(product) {
            let message = format!("{field}: the change names the product {product} twice");
            return Err(refuse(ErrorReason::ContradictoryChange, message, &metadata));
        }
        Ok(Some(product))
    }

    fn plans(
        &mut self,
        path: &str,
        product: ProductId,
        edit: Option<&v1::PlanEdit>,
    ) -> Result<Option<PlanEdit>, Status> {
        use v1::plan_edit::Edit;
        let Some(edit) = edit else {
            return Ok(None);
        };
        Ok(match &edit.edit {
            None => {
                self.fields
                    .wrong(path, "must say all_except, only or delta");
                None
            }
            Some(Edit::AllExcept(set)) => {
                let field = format!("{path}.all_except.plan_ids");
                let plans = self.plan_ids(&field, product, &set.plan_ids)?;
                Some(PlanEdit::Set(PlanChoice::AllExcept(plans)))
            }
            Some(Edit::Only(set)) => {
                let field = format!("{path}.only.plan_ids");
                let plans = self.plan_ids(&field, product, &set.plan_ids)?;
                Some(PlanEdit::Set(PlanChoice::Only(plans)))
            }
            Some(Edit::Delta(delta)) => {
                let field = format!("{path}.delta.enable_plan_ids");
                let enable = self.plan_ids(&field, product, &delta.enable_plan_ids)?;
                let field = format!("{path}.delta.disable_plan_ids");
                let disable = self.plan_ids(&field, product, &delta.disable_plan_ids)?;
                if enable.iter().any(|plan| disable.contains(plan)) {
                    let problem = "must not name a plan that enable_plan_ids names";
                    self.fields.wrong(field, problem);
                } else if delta.enable_plan_ids.is_empty() && delta.disable_plan_ids.is_empty() {
                    let problem = "must enable or disable at least one plan";
                    self.fields.wrong(format!("{path}.delta"), problem);
                }
                Some(PlanEdit::Delta { enable, disable })
            }
        })
    }

    fn plan_ids(
        &mut self,
        path: &str,
        product: ProductId,
        ids: &[String],
    ) -> Result<Vec<PlanId>, Status> {
        if ids.len() > CHOICE_PLANS_MAX {
            return Err(too_many(path, ids.len(), CHOICE_PLANS_MAX));
        }
        let entry = self.catalogue.product(product).expect("checked before");
        let mut plans = Vec::with_capacity(ids.len());
        for (index, text) in ids.iter().enumerate() {
            let field = format!("{path}[{index}]");
            let Some(plan) = self.fields.take(field.clone(), PlanId::parse(text)) else {
                continue;
            };
            if self.catalogue.has_plan(entry, plan).is_none() {
                return Err(unknown_plan(field, product, plan));
            }
            plans.push(plan);
        }
        let given = plans.len();
        plans.sort_unstable();
        plans.dedup();
        if plans.len() < given {
            self.fields.wrong(path, "must not name a plan twice");
        }
        Ok(plans)
    }
}
