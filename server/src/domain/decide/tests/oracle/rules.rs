//! What the rules say against a user's change.

use std::collections::BTreeMap;

use super::PlanSet;
use super::World;
use crate::domain::{Country, PlanId, ProductId, Reason, Rule};

/// What is broken after and was not broken before.
pub(super) fn against_rules(
    world: &World,
    location: Option<Country>,
    before: &PlanSet,
    after: &PlanSet,
    reasons: &mut Vec<Reason>,
) {
    let mut excluded: BTreeMap<PlanId, Vec<PlanId>> = BTreeMap::new();
    for rule in &world.rules {
        if !broken(rule, location, after) || broken(rule, location, before) {
            continue;
        }
        match rule.clone() {
            Rule::Excludes { plan, other } => excluded.entry(plan).or_default().push(other),
            Rule::RequiresAnyOf {
                plan,
                others: any_of,
            } if before.contains(&plan) => {
                reasons.push(Reason::DependentPlanRemains { plan, any_of });
            }
            Rule::RequiresAnyOf {
                plan,
                others: any_of,
            } => {
                let suppliers = suppliers(world, &any_of);
                reasons.push(Reason::PrerequisiteMissing {
                    plan,
                    any_of,
                    suppliers,
                });
            }
            Rule::ProhibitedIn { plan, country } => {
                reasons.push(Reason::UsageLocationProhibited { plan, country });
            }
        }
    }
    for (plan, others) in excluded {
        reasons.push(Reason::MutuallyExclusivePlans { plan, others });
    }
}

fn broken(rule: &Rule, location: Option<Country>, on: &PlanSet) -> bool {
    match rule {
        Rule::Excludes { plan, other } => on.contains(plan) && on.contains(other),
        Rule::RequiresAnyOf { plan, others } => {
            on.contains(plan) && !others.iter().any(|other| on.contains(other))
        }
        Rule::ProhibitedIn { plan, country } => on.contains(plan) && location == Some(*country),
    }
}

/// Licensed products whose new holders get one of the plans.
fn suppliers(world: &World, any_of: &[PlanId]) -> Vec<ProductId> {
    let mut found = Vec::new();
    for product in world.seats.keys() {
        let bundle = &world.products[product];
        let has = |plan: &PlanId| bundle.plans.contains(plan) && !bundle.retired.contains(plan);
        if !bundle.for_company && any_of.iter().any(has) && found.len() < 10 {
            found.push(*product);
        }
    }
    found
}
