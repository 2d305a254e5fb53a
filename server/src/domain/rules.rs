//! The rules between plans: what a user's plans may not be after a change. A violation that was
//! there before the change is not held against it. Also what holding a product takes.

use super::{Catalogue, Country, ProductId, Reason, catalogue::PlanBits};

/// Adds every rule that `after` breaks and `before` did not. `suppliers` tells which products would
/// meet a requirement, given its number and plans.
pub(super) fn violations(
    catalogue: &Catalogue,
    (before, after): (&PlanBits, &PlanBits),
    location: Option<Country>,
    suppliers: impl FnMut(usize, &PlanBits) -> Vec<ProductId>,
    reasons: &mut Vec<Reason>,
) {
    exclusions(catalogue, before, after, reasons);
    requirements(catalogue, before, after, suppliers, reasons);
    prohibitions(catalogue, before, after, location, reasons);
}

/// What stands against a user at this location who gets a product.
pub(super) fn location(location: Option<Country>) -> Option<Reason> {
    location.is_none().then_some(Reason::UsageLocationMissing)
}

/// What stands against any user who gets this product.
pub(super) fn holder(catalogue: &Catalogue, product: ProductId) -> Option<Reason> {
    let entry = catalogue.product(product)?;
    entry
        .for_company
        .then_some(Reason::ProductNotForUsers { product })
}

/// Suppliers that a reason names.
const SUPPLIERS_MAX: usize = 10;

/// The first products with one of the plans among those of which the customer has a license.
pub(super) fn suppliers(
    catalogue: &Catalogue,
    licensed: impl Iterator<Item = ProductId>,
    plans: &PlanBits,
) -> Vec<ProductId> {
    let supplies = |id: &ProductId| {
        let product = catalogue.product(*id);
        product.is_some_and(|product| catalogue.supplies(product, plans))
    };
    licensed.filter(supplies).take(SUPPLIERS_MAX).collect()
}

fn exclusions(
    catalogue: &Catalogue,
    before: &PlanBits,
    after: &PlanBits,
    reasons: &mut Vec<Reason>,
) {
    let both = |set: &PlanBits, a, b| set.contains(a) && set.contains(b);
    for &(a, b) in &catalogue.excludes {
        if !both(after, a, b) || both(before, a, b) {
            continue;
        }
        let (plan, other) = (catalogue.plan(a), catalogue.plan(b));
        let known = reasons.iter_mut().find_map(|reason| match reason {
            Reason::MutuallyExclusivePlans { plan: p, others } if *p == plan => Some(others),
            _ => None,
        });
        match known {
            Some(others) => others.push(other),
            None => reasons.push(Reason::MutuallyExclusivePlans {
                plan,
                others: vec![other],
            }),
        }
    }
}

fn requirements(
    catalogue: &Catalogue,
    before: &PlanBits,
    after: &PlanBits,
    mut suppliers: impl FnMut(usize, &PlanBits) -> Vec<ProductId>,
    reasons: &mut Vec<Reason>,
) {
    for (rule, (number, any_of)) in catalogue.requires.iter().enumerate() {
        let breaks = |set: &PlanBits| set.contains(*number) && !set.intersects(any_of);
        if !breaks(after) || breaks(before) {
            continue;
        }
        let plan = catalogue.plan(*number);
        let ids = catalogue.plan_ids(any_of);
        reasons.push(if before.contains(*number) {
            Reason::DependentPlanRemains { plan, any_of: ids }
        } else {
            Reason::PrerequisiteMissing {
                plan,
                any_of: ids,
                suppliers: suppliers(rule, any_of),
            }
        });
    }
}

fn prohibitions(
    catalogue: &Catalogue,
    before: &PlanBits,
    after: &PlanBits,
    location: Option<Country>,
    reasons: &mut Vec<Reason>,
) {
    for &(number, country) in &catalogue.prohibited {
        if location == Some(country) && after.contains(number) && !before.contains(number) {
            let plan = catalogue.plan(number);
            reasons.push(Reason::UsageLocationProhibited { plan, country });
        }
    }
}
