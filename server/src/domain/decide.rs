//! The heart: from what is so and what is asked, what becomes of each user. Pure: no I/O, no clock,
//! no randomness, so that preview, retry and replay decide alike.

mod choose;
mod ledger;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::catalogue::PlanBits;
use super::{
    Catalogue, Change, ChoiceId, Disposition, Edit, Held, Order, Outcome, Plan, PlanChoice,
    ProductId, Reason, Snapshot, Stop, Terms, Turn, UserState, rules,
};
use ledger::Ledger;

/// Decides an order. Under best effort users are served turn by turn: a seat freed by one serves
/// those after it. Under atomic terms, where the order is the whole batch, seats that anybody frees
/// are there for everybody, and one refused user leaves all as they were.
/// Every product that a change assigns or replaces must be in the catalogue.
pub fn decide(catalogue: &Catalogue, snapshot: &Snapshot, order: &Order, terms: Terms) -> Plan {
    if let Some(stop) = snapshot.progress.stopped {
        return Plan::skip(snapshot, order, stop);
    }
    let mut run = Run {
        catalogue,
        snapshot,
        ledger: Ledger::new(snapshot),
        plan: Plan::default(),
        new_choices: HashMap::new(),
        enabled: HashMap::new(),
        suppliers: HashMap::new(),
        before: PlanBits::default(),
        after: PlanBits::default(),
    };
    match terms {
        Terms::BestEffort => run.one_by_one(order, u64::MAX),
        Terms::StopAfter(failures) => run.one_by_one(order, failures.into()),
        Terms::Atomic => run.all_or_nobody(order),
    }
    let Run {
        ledger, mut plan, ..
    } = run;
    if plan.stopped != Some(Stop::RolledBack) {
        plan.seat_deltas = ledger.deltas(snapshot);
    }
    plan.demand = ledger.demand();
    assert_eq!(
        plan.outcomes.len(),
        order.turns.len(),
        "one outcome per turn"
    );
    plan
}

struct Run<'a> {
    catalogue: &'a Catalogue,
    snapshot: &'a Snapshot,
    ledger: Ledger,
    plan: Plan,
    new_choices: HashMap<PlanChoice, ChoiceId>,
    /// Which plans a product with a choice turns on: most users share a few combinations.
    enabled: HashMap<(ProductId, ChoiceId), PlanBits>,
    /// Licensed products that meet a requirement, by its number.
    suppliers: HashMap<usize, Vec<ProductId>>,
    before: PlanBits,
    after: PlanBits,
}

/// What a user's change would come to, and what stands against it whatever seats there are.
struct Weighed {
    edits: Vec<Edit>,
    held: Vec<Held>,
    reasons: Vec<Reason>,
    /// What an undo leaves as it is, although nothing stands against the rest.
    left_alone: Vec<Reason>,
}

impl<'a> Run<'a> {
    fn one_by_one(&mut self, order: &Order, failures_max: u64) {
        let mut failed = self.snapshot.progress.failed;
        for turn in &order.turns {
            let user = self.user(turn);
            let outcome = if failed >= failures_max {
                self.plan.stopped = Some(Stop::Failures);
                Outcome::skipped(user.map_or(&[], |user| &user.held), Stop::Failures)
            } else {
                self.serve(user, &order.changes[turn.change as usize])
            };
            failed += u64::from(outcome.disposition == Disposition::Failed);
            self.plan.outcomes.push(outcome);
        }
    }

    fn serve(&mut self, user: Option<&UserState>, change: &Change) -> Outcome {
        let Some(user) = user else {
            return Outcome::refused(&[], vec![Reason::UserNotFound]);
        };
        let mut weighed = self.weigh(user, change);
        self.ledger.serve(&weighed.edits, &mut weighed.reasons);
        weighed.outcome(user)
    }

    fn all_or_nobody(&mut self, order: &Order) {
        let weigh = |turn: &Turn| {
            let user = self.user(turn)?;
            Some((user, self.weigh(user, &order.changes[turn.change as usize])))
        };
        let mut weighed: Vec<Option<(&UserState, Weighed)>> =
            order.turns.iter().map(weigh).collect();
        for (_, weighed) in weighed.iter().flatten() {
            if weighed.reasons.is_empty() {
                self.ledger.free(&weighed.edits);
            }
        }
        for (_, weighed) in weighed.iter_mut().flatten() {
            self.ledger.take(&weighed.edits, &mut weighed.reasons);
        }
        let failed = |user: &Option<(&UserState, Weighed)>| match user {
            Some((_, weighed)) => !weighed.reasons.is_empty(),
            None => true,
        };
        let roll_back = weighed.iter().any(failed);
        self.plan.stopped = roll_back.then_some(Stop::RolledBack);
        let outcome = |user: Option<(&UserState, Weighed)>| match user {
            None => Outcome::refused(&[], vec![Reason::UserNotFound]),
            Some((user, weighed)) if roll_back && weighed.reasons.is_empty() => {
                Outcome::skipped(&user.held, Stop::RolledBack)
            }
            Some((user, weighed)) => weighed.outcome(user),
        };
        self.plan.outcomes = weighed.into_iter().map(outcome).collect();
    }

    fn user(&self, turn: &Turn) -> Option<&'a UserState> {
        turn.user.and_then(|id| self.snapshot.users.get(&id))
    }

    fn weigh(&mut self, user: &UserState, change: &Change) -> Weighed {
        let mut reasons = Vec::new();
        let mut edits = self.edits(user, change, &mut reasons);
        let mut left_alone = Vec::new();
        if let Some(undo) = &change.undo {
            let undone = undo.of(user);
            edits.extend(undone.edits);
            reasons.extend(undone.reasons);
            left_alone = undone.left_alone;
        }
        let held = held_after(&user.held, &edits);
        if !(edits.is_empty() && reasons.is_empty()) {
            self.check_user(user, &held, &edits, &mut reasons);
            self.check_licenses(&edits, &mut reasons);
            self.check_rules(user, &mut reasons);
        }
        Weighed {
            edits,
            held,
            reasons,
            left_alone,
        }
    }

    /// wanted = (held − revoked) ∪ assigned, as the difference to held.
    fn edits(&mut self, user: &UserState, change: &Change, reasons: &mut Vec<Reason>) -> Vec<Edit> {
        let mut edits = Vec::with_capacity(change.assign.len() + change.revoke.len());
        let held = |product: ProductId| user.choice(product);
        let mut gain = |product, before, after| {
            if before != Some(after) {
                edits.push(Edit {
                    product,
                    before,
                    after: Some(after),
                });
            }
        };
        for assign in &change.assign {
            let (product, before) = (assign.product, held(assign.product));
            let after = match (before, &assign.plans) {
                (Some(before), None) => before,
                (before, plans) => {
                    let base = PlanChoice::ALL;
                    self.choose(product, before, base, plans.as_ref(), reasons)
                }
            };
            gain(product, before, after);
        }
        let mut lost = change.revoke.clone();
        for replace in &change.replace {
            let Some(choice) = held(replace.product) else {
                continue;
            };
            lost.push(replace.product);
            let before = held(replace.by);
            let after = match (before, &replace.plans) {
                (Some(before), None) => before,
                (before, plans) => {
                    let base = self.carried(replace.product, choice, replace.by);
                    self.choose(replace.by, before, base, plans.as_ref(), reasons)
                }
            };
            gain(replace.by, before, after);
        }
        if let Some(kept) = &change.revoke_others {
            let named: Vec<ProductId> = change.products().chain(kept.iter().copied()).collect();
            let others = user.held.iter().map(|held| held.product);
            lost.extend(others.filter(|product| !named.contains(product)));
        }
        for product in lost {
            if let Some(before) = held(product) {
                edits.push(Edit {
                    product,
                    before: Some(before),
                    after: None,
                });
            }
        }
        edits
    }

    /// Fills `before` and `after` with the plans that are on, and checks what is about the user.
    fn check_user(
        &mut self,
        user: &UserState,
        held: &[Held],
        edits: &[Edit],
        reasons: &mut Vec<Reason>,
    ) {
        let (mut before, mut after) = (
            std::mem::take(&mut self.before),
            std::mem::take(&mut self.after),
        );
        before.clear();
        after.clear();
        for held in &user.held {
            before.extend(self.enabled(held.product, held.choice));
        }
        for held in held {
            after.extend(self.enabled(held.product, held.choice));
        }
        (self.before, self.after) = (before, after);

        let new_product = edits.iter().any(|edit| edit.before.is_none());
        if !user.active && (new_product || self.after.exceeds(&self.before)) {
            reasons.push(Reason::UserInactive);
        }
        if new_product {
            reasons.extend(rules::location(user.usage_location));
        }
    }

    /// Checks what is about the licenses of new products, other than that seats are taken.
    fn check_licenses(&self, edits: &[Edit], reasons: &mut Vec<Reason>) {
        for edit in edits.iter().filter(|edit| edit.before.is_none()) {
            let product = edit.product;
            reasons.extend(rules::holder(self.catalogue, product));
            match self.snapshot.seats.get(&product) {
                None => reasons.push(Reason::ProductNotLicensed { product }),
                Some(seats) if seats.is_suspended() => {
                    reasons.push(Reason::LicenseSuspended { product });
                }
                Some(_) => {}
            }
        }
    }

    fn check_rules(&mut self, user: &UserState, reasons: &mut Vec<Reason>) {
        let (catalogue, snapshot) = (self.catalogue, self.snapshot);
        let suppliers = &mut self.suppliers;
        let suppliers = |number: usize, plans: &PlanBits| {
            let licensed = snapshot.seats.keys().copied();
            let find = || rules::suppliers(catalogue, licensed, plans);
            suppliers.entry(number).or_insert_with(find).clone()
        };
        rules::violations(
            catalogue,
            (&self.before, &self.after),
            user.usage_location,
            suppliers,
            reasons,
        );
    }

    fn enabled(&mut self, product: ProductId, choice: ChoiceId) -> &PlanBits {
        let Self {
            enabled,
            catalogue,
            snapshot,
            plan,
            ..
        } = self;
        enabled
            .entry((product, choice))
            .or_insert_with(|| catalogue.enabled(product, plan.choice(snapshot, choice)))
    }
}

impl Weighed {
    fn outcome(self, user: &UserState) -> Outcome {
        if !self.reasons.is_empty() {
            return Outcome::refused(&user.held, self.reasons);
        }
        let disposition = if self.edits.is_empty() {
            Disposition::Unchanged
        } else {
            Disposition::Applied
        };
        Outcome {
            disposition,
            edits: self.edits,
            held: self.held,
            reasons: self.left_alone,
        }
    }
}

fn held_after(held: &[Held], edits: &[Edit]) -> Vec<Held> {
    let untouched = |held: &&Held| !edits.iter().any(|edit| edit.product == held.product);
    let mut after: Vec<_> = held.iter().filter(untouched).copied().collect();
    let holds = |edit: &Edit| {
        edit.after.map(|choice| Held {
            product: edit.product,
            choice,
        })
    };
    after.extend(edits.iter().filter_map(holds));
    after.sort_unstable_by_key(|held| held.product);
    after
}
