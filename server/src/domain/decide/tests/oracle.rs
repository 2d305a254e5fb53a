//! The rules once more, as slowly and plainly as they can be said.

mod rules;

use std::collections::{BTreeMap, BTreeSet};

use rules::against_rules;

use super::world::{Decided, Holdings, Person, SeatCounts, Verdict, World};
use crate::domain::{
    Change, ChoiceId, Disposition, Edit, LaterPlans, PlanChoice, PlanEdit, PlanId, ProductId,
    Reason, SeatTally, Stop, Terms, Undo,
};

type PlanSet = BTreeSet<PlanId>;

/// Decides a world. How its batch is cut into orders makes no difference.
pub(super) fn judge(world: &World) -> Decided {
    let mut court = Court {
        world,
        seats: world.seats.clone(),
        enough: world.seats.clone(),
        moved: BTreeSet::new(),
        shortage: BTreeMap::new(),
    };
    let (verdicts, stopped) = match world.terms {
        Terms::BestEffort => court.one_by_one(u32::MAX),
        Terms::StopAfter(failures) => court.one_by_one(failures),
        Terms::Atomic => court.all_or_nobody(),
    };
    court.sum_up(verdicts, stopped)
}

/// What a user would come to, and what stands against it whatever seats there are.
struct Wish {
    before: Holdings,
    after: Holdings,
    reasons: Vec<Reason>,
    /// What an undo leaves alone beside what it does.
    left_alone: Vec<Reason>,
}

impl Wish {
    fn gained(&self) -> Vec<ProductId> {
        missing(&self.after, &self.before)
    }

    fn lost(&self) -> Vec<ProductId> {
        missing(&self.before, &self.after)
    }

    fn is_refused(&self) -> bool {
        !self.reasons.is_empty()
    }

    fn verdict(self) -> Verdict {
        if self.is_refused() {
            Verdict::new(Disposition::Failed, self.before, self.reasons)
        } else if self.after == self.before {
            Verdict::new(Disposition::Unchanged, self.after, Vec::new())
        } else {
            Verdict::new(Disposition::Applied, self.after, self.left_alone)
        }
    }

    fn skip(self, reason: Reason) -> Verdict {
        Verdict::new(Disposition::Skipped, self.before, vec![reason])
    }
}

/// The products of the first that are not in the second.
fn missing(first: &Holdings, second: &Holdings) -> Vec<ProductId> {
    let products = first.keys();
    let missing = products.filter(|product| !second.contains_key(product));
    missing.copied().collect()
}

struct Court<'a> {
    world: &'a World,
    /// As they are.
    seats: SeatCounts,
    /// As they would be if there had been enough for everybody so far.
    enough: SeatCounts,
    /// What anybody lost, or would have with enough seats.
    moved: BTreeSet<ProductId>,
    shortage: BTreeMap<ProductId, i64>,
}

impl Court<'_> {
    fn one_by_one(&mut self, failures_max: u32) -> (Vec<Verdict>, Option<Stop>) {
        let (mut verdicts, mut failures, mut stopped) = (Vec::new(), 0, None);
        for mut wish in wishes(self.world) {
            if failures == failures_max {
                stopped = Some(Stop::Failures);
                verdicts.push(wish.skip(Reason::StoppedAfterFailures));
                continue;
            }
            let refused = wish.is_refused();
            for product in wish.gained() {
                let exhausted = self.ask_seat(product);
                wish.reasons.extend(exhausted);
            }
            if !refused {
                step(&mut self.enough, &wish.gained(), 1);
                step(&mut self.enough, &wish.lost(), -1);
                self.moved.extend(wish.lost());
            }
            if wish.is_refused() {
                failures += 1;
            } else {
                step(&mut self.seats, &wish.gained(), 1);
                step(&mut self.seats, &wish.lost(), -1);
            }
            verdicts.push(wish.verdict());
        }
        (verdicts, stopped)
    }

    /// Everybody gives up seats before anybody takes one, and everybody takes one, there or not.
    fn all_or_nobody(&mut self) -> (Vec<Verdict>, Option<Stop>) {
        let mut wishes = wishes(self.world);
        for wish in wishes.iter().filter(|wish| !wish.is_refused()) {
            step(&mut self.seats, &wish.lost(), -1);
            self.moved.extend(wish.lost());
        }
        for wish in &mut wishes {
            self.enough.clone_from(&self.seats);
            let refused = wish.is_refused();
            for product in wish.gained() {
                let exhausted = self.ask_seat(product);
                wish.reasons.extend(exhausted);
            }
            if !refused {
                step(&mut self.seats, &wish.gained(), 1);
            }
        }
        if !wishes.iter().any(Wish::is_refused) {
            return (wishes.into_iter().map(Wish::verdict).collect(), None);
        }
        self.seats.clone_from(&self.world.seats);
        self.moved.clear();
        let verdict = |wish: Wish| {
            if wish.is_refused() {
                wish.verdict()
            } else {
                wish.skip(Reason::BatchRolledBack)
            }
        };
        let verdicts = wishes.into_iter().map(verdict).collect();
        (verdicts, Some(Stop::RolledBack))
    }

    /// Says if there is no seat, and remembers how many there would have to be.
    fn ask_seat(&mut self, product: ProductId) -> Option<Reason> {
        let now = self.seats.get(&product)?;
        let assignable = now.enabled + now.warning;
        if assignable == 0 && now.suspended > 0 {
            return None;
        }
        let needed = self.enough[&product].assigned + 1 - assignable;
        let shortage = self.shortage.entry(product).or_default();
        *shortage = needed.max(*shortage);
        let available = assignable - now.assigned;
        (available < 1).then_some(Reason::SeatsExhausted { product, available })
    }

    fn sum_up(self, verdicts: Vec<Verdict>, stopped: Option<Stop>) -> Decided {
        let mut products = self.moved;
        for turn in &self.world.order.turns {
            let change = &self.world.order.changes[turn.change as usize];
            products.extend(change.assign.iter().map(|assign| assign.product));
            products.extend(&change.revoke);
            products.extend(change.replace.iter().flat_map(|r| [r.product, r.by]));
            let undone = change.undo.iter().flat_map(|undo| &undo.edits);
            products.extend(undone.map(|edit| edit.product));
        }
        let mut sums = BTreeMap::new();
        for product in products {
            if let Some(before) = self.world.seats.get(&product) {
                let sum = SeatTally {
                    before: *before,
                    after: self.seats[&product],
                    unmet: 0,
                    shortage: self.shortage.get(&product).copied().unwrap_or(0),
                };
                sums.insert(product, sum);
            }
        }
        let mut reasons = BTreeMap::new();
        for verdict in &verdicts {
            let codes: BTreeSet<_> = verdict.reasons.iter().map(Reason::code).collect();
            for code in codes {
                *reasons.entry(code.to_owned()).or_default() += 1;
            }
        }
        Decided {
            verdicts,
            seats: self.seats,
            stopped,
            sums,
            reasons,
        }
    }
}

fn step(seats: &mut SeatCounts, products: &[ProductId], step: i64) {
    for product in products {
        seats.get_mut(product).expect("licensed").assigned += step;
    }
}

/// What each turn wants.
fn wishes(world: &World) -> Vec<Wish> {
    let turns = world.order.turns.iter();
    let wish = turns.map(|turn| {
        let change = &world.order.changes[turn.change as usize];
        match turn.user.and_then(|user| world.users.get(&user)) {
            Some(user) => wish(world, user, change),
            None => Wish {
                before: Holdings::new(),
                after: Holdings::new(),
                reasons: vec![Reason::UserNotFound],
                left_alone: Vec::new(),
            },
        }
    });
    wish.collect()
}

fn wish(world: &World, user: &Person, change: &Change) -> Wish {
    let mut reasons = Vec::new();
    let mut wanted = wanted(world, user, change, &mut reasons);
    let mut left_alone = Vec::new();
    if let Some(undo) = &change.undo {
        let changed = undo_what_is_left(world, user, undo, &mut wanted);
        if undo.takes_safe_part && wanted != user.held {
            left_alone = changed;
        } else if !changed.is_empty() {
            wanted.clone_from(&user.held);
            reasons = changed;
        }
    }
    let gained = missing(&wanted, &user.held);
    let (before, after) = (plans_on(world, &user.held), plans_on(world, &wanted));
    if !user.active && (!gained.is_empty() || !after.is_subset(&before)) {
        reasons.push(Reason::UserInactive);
    }
    if user.location.is_none() && !gained.is_empty() {
        reasons.push(Reason::UsageLocationMissing);
    }
    for product in gained {
        if world.products[&product].for_company {
            reasons.push(Reason::ProductNotForUsers { product });
        }
        match world.seats.get(&product) {
            None => reasons.push(Reason::ProductNotLicensed { product }),
            Some(seats) if seats.enabled + seats.warning == 0 && seats.suspended > 0 => {
                reasons.push(Reason::LicenseSuspended { product });
            }
            Some(_) => {}
        }
    }
    against_rules(world, user.location, &before, &after, &mut reasons);
    Wish {
        before: user.held.clone(),
        after: wanted,
        reasons,
        left_alone,
    }
}

/// Puts back what is as a batch left it, and says what is not.
fn undo_what_is_left(
    world: &World,
    user: &Person,
    undo: &Undo,
    wanted: &mut Holdings,
) -> Vec<Reason> {
    let choice = |id: Option<ChoiceId>| id.and_then(|id| world.choices.get(id));
    let now = |edit: &Edit| user.held.get(&edit.product);
    let back = |edit: &Edit| now(edit) == choice(edit.before);
    if undo.edits.iter().all(back) {
        return Vec::new();
    }
    let mut changed = Vec::new();
    for edit in &undo.edits {
        if now(edit) != choice(edit.after) {
            if !(undo.takes_safe_part && back(edit)) {
                let (product, by) = (edit.product, None);
                changed.push(Reason::ChangedSince { product, by });
            }
            continue;
        }
        match choice(edit.before) {
            Some(before) => wanted.insert(edit.product, before.clone()),
            None => wanted.remove(&edit.product),
        };
    }
    changed
}

/// (held − revoked − replaced − others) ∪ assigned ∪ given for what is replaced.
fn wanted(world: &World, user: &Person, change: &Change, reasons: &mut Vec<Reason>) -> Holdings {
    let mut wanted = user.held.clone();
    for product in &change.revoke {
        wanted.remove(product);
    }
    if let Some(kept) = &change.revoke_others {
        wanted.retain(|product, _| {
            let assigned = change.assign.iter().any(|a| a.product == *product);
            let replaced = change.replace.iter().any(|r| r.product == *product);
            let given = change.replace.iter().any(|r| r.by == *product);
            assigned || replaced || given || kept.contains(product)
        });
    }
    let all = PlanSet::new();
    for assign in &change.assign {
        let (product, plans) = (assign.product, assign.plans.as_ref());
        let choice = choice(
            world,
            product,
            user.held.get(&product),
            &all,
            plans,
            reasons,
        );
        wanted.insert(product, choice);
    }
    for replace in &change.replace {
        let (old, new, plans) = (replace.product, replace.by, replace.plans.as_ref());
        if let Some(had) = user.held.get(&old) {
            wanted.remove(&old);
            let on = plans_of(world, old, had);
            let mut off = world.products[&old].plans.clone();
            off.retain(|plan| world.products[&new].plans.contains(plan) && !on.contains(plan));
            let choice = choice(world, new, user.held.get(&new), &off, plans, reasons);
            wanted.insert(new, choice);
        }
    }
    wanted
}

/// The choice that is kept for a product. A new holder, unless the change says otherwise, has all
/// plans on but those in `off`.
fn choice(
    world: &World,
    product: ProductId,
    held: Option<&PlanChoice>,
    off: &PlanSet,
    asked: Option<&PlanEdit>,
    reasons: &mut Vec<Reason>,
) -> PlanChoice {
    let bundle = &world.products[&product];
    // Retired plans are for those who have them on.
    let mut unavailable = bundle.retired.clone();
    if let Some(held) = held {
        for plan in plans_of(world, product, held) {
            unavailable.remove(&plan);
        }
    }
    let mut turn_on = |plans: &[PlanId]| {
        for plan in plans.iter().copied().filter(|p| unavailable.contains(p)) {
            reasons.push(Reason::PlanNotInProduct { product, plan });
        }
    };
    let mut except = match (asked, held) {
        (None, Some(held)) => return held.clone(),
        (None, None) => off.clone(),
        (Some(PlanEdit::Set(PlanChoice::Only(plans))), _) => {
            turn_on(plans);
            return PlanChoice::Only(plans.clone());
        }
        (Some(PlanEdit::Set(PlanChoice::AllExcept(plans))), _) => plans.iter().copied().collect(),
        (Some(PlanEdit::Delta { enable, disable }), held) => {
            turn_on(enable);
            match held {
                Some(PlanChoice::Only(plans)) => {
                    let mut plans: PlanSet = plans.iter().copied().collect();
                    plans.extend(enable);
                    plans.retain(|plan| !disable.contains(plan));
                    return PlanChoice::Only(plans.into_iter().collect());
                }
                Some(PlanChoice::AllExcept(plans)) => {
                    let mut plans: PlanSet = plans.iter().copied().collect();
                    plans.extend(disable);
                    plans.retain(|plan| !enable.contains(plan));
                    return PlanChoice::AllExcept(plans.into_iter().collect());
                }
                None => {
                    let mut off = off.clone();
                    off.extend(disable);
                    off.retain(|plan| !enable.contains(plan));
                    off
                }
            }
        }
    };
    except.extend(unavailable);
    let decided = world.later_plans.get(&product);
    match decided.unwrap_or(&bundle.later_plans) {
        LaterPlans::On => PlanChoice::AllExcept(except.into_iter().collect()),
        LaterPlans::Off => PlanChoice::Only(bundle.plans.difference(&except).copied().collect()),
    }
}

pub(super) fn plans_of(world: &World, product: ProductId, choice: &PlanChoice) -> PlanSet {
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
