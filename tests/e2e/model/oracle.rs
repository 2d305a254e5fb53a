//! The oracle: what a batch must come to, by the words of the protocol alone. It is written for this
//! test, knows nothing of the server, and prefers plain loops to speed.

use std::collections::{BTreeMap, BTreeSet};

use seatwise_client::v1::ReasonCode;
use seatwise_client::v1::batch_result::Disposition;

use super::catalogue::{
    EXCLUDES, PROHIBITED, Plans, Product, REQUIRES, is_for_company, plans_of, products,
};
pub(crate) use super::facts::{License, Outcome, Person, Seats, State, Verdict, Why};
pub(crate) use super::rule::Rule;

use super::order::{Change, Choice, Edit, Mode, Order};

/// The model, with all its rules or with one turned off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oracle {
    pub(crate) without: Option<Rule>,
}

/// What a user would have, and what speaks against it apart from seats.
struct Wish {
    held: BTreeMap<Product, Choice>,
    wanted: BTreeMap<Product, Choice>,
    reasons: BTreeSet<Why>,
}

/// One way through the users.
struct Pass {
    verdicts: BTreeMap<usize, Verdict>,
    after: State,
    free: BTreeMap<Product, i32>,
    /// Seats that were missing at the worst turn, per product.
    missing: BTreeMap<Product, i32>,
    refused: BTreeMap<Product, i32>,
    rolled_back: bool,
}

impl Pass {
    /// Counts a holder more or less.
    fn count(&mut self, product: Product, holders: i32) {
        if let Some(license) = self.after.licenses.get_mut(&product) {
            license.assigned += holders;
        }
    }
}

impl Choice {
    pub(crate) fn on(&self, product: Product) -> Plans {
        let all = plans_of(product);
        match self {
            Self::AllExcept(off) => &all - off,
            Self::Only(on) => &all & on,
        }
    }
}

impl License {
    fn free(&self, oracle: &Oracle) -> i32 {
        self.total(oracle) - self.assigned
    }

    fn total(&self, oracle: &Oracle) -> i32 {
        match oracle.keeps(Rule::WarningSeats) {
            true => self.enabled + self.warning,
            false => self.enabled,
        }
    }
}

impl Person {
    fn plans(&self) -> BTreeMap<Product, Plans> {
        on_per_product(&self.held)
    }
}

impl Wish {
    fn assigned(&self) -> BTreeSet<Product> {
        let new = |product: &&Product| !self.held.contains_key(product);
        self.wanted.keys().filter(new).copied().collect()
    }

    fn revoked(&self) -> BTreeSet<Product> {
        let lost = |product: &&Product| !self.wanted.contains_key(product);
        self.held.keys().filter(lost).copied().collect()
    }

    fn changed(&self) -> BTreeSet<Product> {
        let both = self.held.iter();
        let changed = both.filter(|(p, choice)| self.wanted.get(p).is_some_and(|w| w != *choice));
        changed.map(|(product, _)| *product).collect()
    }
}

fn on_per_product(held: &BTreeMap<Product, Choice>) -> BTreeMap<Product, Plans> {
    let on = |(product, choice): (&Product, &Choice)| (*product, choice.on(*product));
    held.iter().map(on).collect()
}

fn on_at_all(held: &BTreeMap<Product, Choice>) -> Plans {
    on_per_product(held).into_values().flatten().collect()
}

impl Oracle {
    fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// What a batch comes to whose users are served in this order of their places.
    pub(crate) fn foretell(
        &self,
        state: &State,
        order: &Order,
        served: &[usize],
    ) -> (Outcome, State) {
        let pass = self.serve(state, order, served, false);
        // With the missing seats added nobody fails for them. Who had no turn counts for nothing.
        let had_turn = |place: &&usize| {
            let stopped = Why::of(ReasonCode::StoppedAfterFailures);
            !pass.verdicts[*place].reasons.contains(&stopped)
        };
        let had_turn: Vec<_> = served.iter().filter(had_turn).copied().collect();
        let ample = self.serve(state, order, &had_turn, true);
        let mut counts: BTreeMap<ReasonCode, i32> = BTreeMap::new();
        for verdict in pass.verdicts.values() {
            let codes: BTreeSet<_> = verdict.reasons.iter().map(|why| why.code).collect();
            for code in codes {
                *counts.entry(code).or_default() += 1;
            }
        }
        let mut shown = order.named();
        for verdict in pass.verdicts.values() {
            shown.extend(&verdict.assigned | &verdict.revoked);
        }
        // Who only lacked a seat would have moved products that nobody named.
        let one_by_one = ample.verdicts.iter().filter(|_| order.mode != Mode::Atomic);
        for (place, verdict) in one_by_one {
            if pass.verdicts[place].disposition == Disposition::Failed {
                shown.extend(&verdict.revoked);
            }
        }
        let shortage = match self.keeps(Rule::Shortage) {
            true => &ample.missing,
            false => &pass.refused,
        };
        let seats = shown.into_iter().filter_map(|product| {
            let before = state.licenses.get(&product)?;
            let total = before.total(self);
            let seats = Seats {
                before: (total, before.assigned),
                after: (total, pass.after.licenses[&product].assigned),
                shortage: shortage.get(&product).copied().unwrap_or_default(),
            };
            Some((product, seats))
        });
        let outcome = Outcome {
            seats: seats.collect(),
            counts,
            rolled_back: pass.rolled_back,
            verdicts: pass.verdicts.into_values().collect(),
        };
        (outcome, pass.after)
    }

    /// Serves the users in turn, with `ample` seats a lack is noted and nobody fails for it.
    fn serve(&self, state: &State, order: &Order, served: &[usize], ample: bool) -> Pass {
        let is_atomic = order.mode == Mode::Atomic;
        let is_net = is_atomic && self.keeps(Rule::AtomicNet);
        let licenses = state.licenses.iter();
        let mut pass = Pass {
            verdicts: BTreeMap::new(),
            after: state.clone(),
            free: licenses.map(|(p, l)| (*p, l.free(self))).collect(),
            missing: BTreeMap::new(),
            refused: BTreeMap::new(),
            rolled_back: false,
        };
        for (user, change) in order.steps.iter().filter(|_| is_net) {
            let wish = state.people.get(user).map(|p| self.wish(state, p, change));
            for product in wish
                .filter(|w| w.reasons.is_empty())
                .iter()
                .flat_map(Wish::revoked)
            {
                *pass.free.entry(product).or_default() += 1;
            }
        }
        let mut failed = 0;
        for &place in served {
            let (user, change) = &order.steps[place];
            let late = i32::from(!self.keeps(Rule::StopCount));
            let stopped = matches!(order.mode, Mode::StopAfter(count) if failed >= count + late);
            let verdict = if stopped {
                skipped(state, *user, ReasonCode::StoppedAfterFailures)
            } else {
                self.turn(&mut pass, *user, change, ample, is_net)
            };
            failed += i32::from(verdict.disposition == Disposition::Failed);
            pass.verdicts.insert(place, verdict);
        }
        if is_atomic && failed > 0 && self.keeps(Rule::RollBack) {
            pass.rolled_back = true;
            pass.after = state.clone();
            for (place, verdict) in &mut pass.verdicts {
                if verdict.disposition != Disposition::Failed {
                    *verdict = skipped(state, order.steps[*place].0, ReasonCode::BatchRolledBack);
                }
            }
        }
        pass
    }

    /// One user's turn.
    fn turn(
        &self,
        pass: &mut Pass,
        user: usize,
        change: &Change,
        ample: bool,
        is_net: bool,
    ) -> Verdict {
        let Some(person) = pass.after.people.get(&user) else {
            let code = ReasonCode::UserNotFound;
            let known = self.keeps(Rule::UserNotFound);
            return match known {
                true => refused(BTreeMap::new(), [Why::of(code)].into()),
                false => skipped(&pass.after, user, code),
            };
        };
        let mut wish = self.wish(&pass.after, person, change);
        let lacks_seats_only = wish.reasons.is_empty();
        let (assigned, revoked) = (wish.assigned(), wish.revoked());
        for product in &assigned {
            let Some(license) = pass.after.licenses.get(product) else {
                continue;
            };
            let there = pass.free[product];
            if there >= 1 || self.is_suspended(license) || !self.keeps(Rule::SeatCheck) {
                continue;
            }
            let missing = pass.missing.entry(*product).or_default();
            *missing = (*missing).max(1 - there);
            *pass.refused.entry(*product).or_default() += 1;
            if !ample {
                wish.reasons.insert(Why {
                    available: Some(there),
                    ..Why::about(ReasonCode::SeatsExhausted, *product)
                });
            }
        }
        if !self.keeps(Rule::AllReasons) {
            wish.reasons = wish.reasons.into_iter().take(1).collect();
        }
        if !wish.reasons.is_empty() {
            if !self.keeps(Rule::WholeUser) {
                for product in &revoked {
                    *pass.free.entry(*product).or_default() += 1;
                }
            }
            if is_net && lacks_seats_only {
                // The net of all users counts what this one would take.
                for product in &assigned {
                    *pass.free.entry(*product).or_default() -= 1;
                }
            }
            return refused(person.plans(), wish.reasons);
        }
        let changed = wish.changed();
        let nothing = assigned.is_empty() && revoked.is_empty() && changed.is_empty();
        for product in &assigned {
            *pass.free.entry(*product).or_default() -= 1;
            pass.count(*product, 1);
        }
        let frees = !is_net && self.keeps(Rule::FreedSeat);
        for product in &revoked {
            *pass.free.entry(*product).or_default() += i32::from(frees);
            pass.count(*product, -1);
        }
        let person = pass.after.people.get_mut(&user).expect("found above");
        person.held = wish.wanted;
        Verdict {
            disposition: match nothing {
                true => Disposition::Unchanged,
                false => Disposition::Applied,
            },
            held: person.plans(),
            assigned,
            revoked,
            changed,
            reasons: BTreeSet::new(),
        }
    }

    fn is_suspended(&self, license: &License) -> bool {
        let assignable = license.enabled + license.warning;
        self.keeps(Rule::Suspended) && assignable == 0 && license.suspended > 0
    }

    /// What a change makes of a user, judged as a whole.
    fn wish(&self, state: &State, person: &Person, change: &Change) -> Wish {
        let held = &person.held;
        let mut wanted = held.clone();
        if let Some(kept) = &change.others {
            let named = change.named();
            let stays = |p: &Product| named.contains(p) || kept.contains(p);
            wanted.retain(|product, _| stays(product) && self.keeps(Rule::RevokeOthersKeep));
        }
        for product in &change.revoke {
            wanted.remove(product);
        }
        for (from, by, edit) in &change.replace {
            let old = match held.get(from) {
                Some(old) => old.clone(),
                None if self.keeps(Rule::ReplaceWhereHeld) => continue,
                None => Choice::all(),
            };
            wanted.remove(from);
            let carried = || match self.keeps(Rule::ReplaceCarry) {
                true => {
                    let off = &plans_of(*from) - &old.on(*from);
                    Choice::AllExcept(&off & &plans_of(*by))
                }
                false => Choice::all(),
            };
            let base = held.get(by).cloned().unwrap_or_else(carried);
            wanted.insert(*by, self.edited(base, edit));
        }
        for (product, edit) in &change.assign {
            let base = match held.get(product) {
                Some(choice) if self.keeps(Rule::KeepChoice) || *edit != Edit::Keep => {
                    choice.clone()
                }
                _ => Choice::all(),
            };
            wanted.insert(*product, self.edited(base, edit));
        }
        let mut wish = Wish {
            held: held.clone(),
            wanted,
            reasons: BTreeSet::new(),
        };
        wish.reasons = self.against(state, person, &wish);
        wish
    }

    fn edited(&self, base: Choice, edit: &Edit) -> Choice {
        let (on, off) = match edit {
            Edit::Keep => return base,
            Edit::Set(choice) => return choice.clone(),
            Edit::Delta { on, off } => (on, off),
        };
        let base = match self.keeps(Rule::DeltaBase) {
            true => base,
            false => Choice::all(),
        };
        match base {
            Choice::AllExcept(plans) => Choice::AllExcept(&(&plans - on) | off),
            Choice::Only(plans) => Choice::Only(&(&plans | on) - off),
        }
    }

    /// Every reason against a user but seats.
    fn against(&self, state: &State, person: &Person, wish: &Wish) -> BTreeSet<Why> {
        let mut reasons = BTreeSet::new();
        let new = wish.assigned();
        for &product in &new {
            let license = state.licenses.get(&product);
            if license.is_none() && self.keeps(Rule::NotLicensed) {
                reasons.insert(Why::about(ReasonCode::ProductNotLicensed, product));
            }
            if is_for_company(product) && self.keeps(Rule::ForCompany) {
                reasons.insert(Why::about(ReasonCode::ProductNotForUsers, product));
            }
            if license.is_some_and(|license| self.is_suspended(license)) {
                reasons.insert(Why::about(ReasonCode::LicenseSuspended, product));
            }
        }
        if !new.is_empty() && person.location.is_empty() && self.keeps(Rule::LocationMissing) {
            reasons.insert(Why::of(ReasonCode::UsageLocationMissing));
        }
        let (before, after) = (on_at_all(&wish.held), on_at_all(&wish.wanted));
        let gains = !new.is_empty() || !after.is_subset(&before);
        if gains && !person.active && self.keeps(Rule::Inactive) {
            reasons.insert(Why::of(ReasonCode::UserInactive));
        }
        for (plan, country) in PROHIBITED {
            let turned_on = after.contains(&plan) && !before.contains(&plan);
            if turned_on && person.location == country && self.keeps(Rule::LocationProhibited) {
                reasons.insert(Why {
                    location: country.to_owned(),
                    ..Why::plan(ReasonCode::UsageLocationProhibited, plan, Plans::new())
                });
            }
        }
        for (one, other) in EXCLUDES {
            let together = |plans: &Plans| plans.contains(&one) && plans.contains(&other);
            if together(&after) && !together(&before) && self.keeps(Rule::Exclusion) {
                let (first, last) = (one.min(other), one.max(other));
                let code = ReasonCode::MutuallyExclusivePlans;
                reasons.insert(Why::plan(code, first, [last].into()));
            }
        }
        for (plan, others) in REQUIRES {
            let others: Plans = others.chars().collect();
            if !after.contains(&plan) || !after.is_disjoint(&others) {
                continue;
            }
            if !before.contains(&plan) {
                if self.keeps(Rule::Prerequisite) {
                    reasons.insert(Why {
                        suppliers: suppliers(state, &others),
                        ..Why::plan(ReasonCode::PrerequisiteMissing, plan, others)
                    });
                }
            } else if !before.is_disjoint(&others) && self.keeps(Rule::Dependent) {
                reasons.insert(Why::plan(ReasonCode::DependentPlanRemains, plan, others));
            }
        }
        reasons
    }
}

/// Licensed products that have one of the plans.
fn suppliers(state: &State, plans: &Plans) -> BTreeSet<Product> {
    let licensed = products().filter(|product| state.licenses.contains_key(product));
    let with = licensed.filter(|product| !plans_of(*product).is_disjoint(plans));
    with.collect()
}

fn refused(held: BTreeMap<Product, Plans>, reasons: BTreeSet<Why>) -> Verdict {
    Verdict {
        disposition: Disposition::Failed,
        assigned: BTreeSet::new(),
        revoked: BTreeSet::new(),
        changed: BTreeSet::new(),
        held,
        reasons,
    }
}

fn skipped(state: &State, user: usize, code: ReasonCode) -> Verdict {
    let person = state.people.get(&user);
    let held = person.map(Person::plans).unwrap_or_default();
    Verdict {
        disposition: Disposition::Skipped,
        ..refused(held, [Why::of(code)].into())
    }
}
