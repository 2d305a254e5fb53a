//! The rules once more, as slowly and plainly as they can be said.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Decided, Holdings, Person, Verdict, World};
use crate::domain::{
    Change, Country, Disposition, PlanChoice, PlanEdit, PlanId, ProductId, Reason, Rule, Seats,
};

type PlanSet = BTreeSet<PlanId>;
type SeatCounts = BTreeMap<ProductId, Seats>;

/// Decides a world.
pub(super) fn judge(world: &World) -> Decided {
    let mut seats = world.seats.clone();
    let mut verdicts = Vec::new();
    for turn in &world.order.turns {
        let change = &world.order.changes[turn.change as usize];
        verdicts.push(match turn.user.and_then(|user| world.users.get(&user)) {
            Some(user) => serve(world, &mut seats, user, change),
            None => failed(&BTreeMap::new(), vec![Reason::UserNotFound]),
        });
    }
    let moved = seats
        .iter()
        .map(|(&id, seats)| (id, seats.assigned - world.seats[&id].assigned));
    Decided {
        verdicts,
        seat_deltas: moved.filter(|(_, delta)| *delta != 0).collect(),
    }
}

fn serve(world: &World, seats: &mut SeatCounts, user: &Person, change: &Change) -> Verdict {
    let mut reasons = Vec::new();
    let wanted = wanted(world, user, change, &mut reasons);
    if wanted == user.held && reasons.is_empty() {
        return Verdict::new(Disposition::Unchanged, wanted, reasons);
    }
    let gained = wanted
        .keys()
        .filter(|product| !user.held.contains_key(product));
    let lost = user
        .held
        .keys()
        .filter(|product| !wanted.contains_key(product));
    let (gained, lost): (Vec<_>, Vec<_>) = (gained.copied().collect(), lost.copied().collect());
    let (before, after) = (plans_on(world, &user.held), plans_on(world, &wanted));

    if !user.active && (!gained.is_empty() || !after.is_subset(&before)) {
        reasons.push(Reason::UserInactive);
    }
    if user.location.is_none() && !gained.is_empty() {
        reasons.push(Reason::UsageLocationMissing);
    }
    for &product in &gained {
        if world.products[&product].for_company {
            reasons.push(Reason::ProductNotForUsers { product });
        }
        reasons.extend(no_seat(product, seats.get(&product)));
    }
    against_rules(world, user.location, &before, &after, &mut reasons);
    if !reasons.is_empty() {
        return failed(&user.held, reasons);
    }
    for product in gained {
        seats.get_mut(&product).expect("licensed").assigned += 1;
    }
    for product in lost {
        seats.get_mut(&product).expect("licensed").assigned -= 1;
    }
    Verdict::new(Disposition::Applied, wanted, reasons)
}

fn failed(held: &Holdings, reasons: Vec<Reason>) -> Verdict {
    Verdict::new(Disposition::Failed, held.clone(), reasons)
}

/// (held − revoked) ∪ assigned.
fn wanted(world: &World, user: &Person, change: &Change, reasons: &mut Vec<Reason>) -> Holdings {
    let mut wanted = user.held.clone();
    for product in &change.revoke {
        wanted.remove(product);
    }
    for assign in &change.assign {
        let product = assign.product;
        let before = user.held.get(&product);
        if assign.plans.is_none() && before.is_some() {
            continue;
        }
        // Retired plans are for those who have them on.
        let mut unavailable = world.products[&product].retired.clone();
        if let Some(before) = before {
            for plan in plans_of(world, product, before) {
                unavailable.remove(&plan);
            }
        }
        let asked = match &assign.plans {
            None => PlanChoice::ALL,
            Some(PlanEdit::Set(choice)) => choice.clone(),
            Some(PlanEdit::Delta { .. }) => unimplemented!(),
        };
        let choice = match &asked {
            PlanChoice::AllExcept(plans) => {
                let except: PlanSet = plans.iter().copied().chain(unavailable).collect();
                PlanChoice::AllExcept(except.into_iter().collect())
            }
            PlanChoice::Only(plans) => {
                for &plan in plans {
                    if unavailable.contains(&plan) {
                        reasons.push(Reason::PlanNotInProduct { product, plan });
                    }
                }
                PlanChoice::Only(plans.clone())
            }
        };
        wanted.insert(product, choice);
    }
    wanted
}

fn plans_of(world: &World, product: ProductId, choice: &PlanChoice) -> PlanSet {
    let mut on = world.products[&product].plans.clone();
    match choice {
        PlanChoice::AllExcept(plans) => on.retain(|plan| !plans.contains(plan)),
        PlanChoice::Only(plans) => on.retain(|plan| plans.contains(plan)),
    }
    on
}

fn plans_on(world: &World, held: &Holdings) -> PlanSet {
    held.iter()
        .flat_map(|(&product, choice)| plans_of(world, product, choice))
        .collect()
}

fn no_seat(product: ProductId, seats: Option<&Seats>) -> Option<Reason> {
    let Some(seats) = seats else {
        return Some(Reason::ProductNotLicensed { product });
    };
    let assignable = seats.enabled + seats.warning;
    if assignable == 0 && seats.suspended > 0 {
        return Some(Reason::LicenseSuspended { product });
    }
    let available = assignable - seats.assigned;
    (available < 1).then_some(Reason::SeatsExhausted { product, available })
}

/// What is broken after and was not broken before.
fn against_rules(
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
