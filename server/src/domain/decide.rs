//! The heart: from what is so and what is asked, what becomes of each user. Pure: no I/O, no clock,
//! no randomness, so that preview, retry and replay decide alike.

use std::collections::{BTreeMap, HashMap};

use super::catalogue::{PlanBits, Product};
use super::{
    Catalogue, Change, ChoiceId, Choices, Country, Order, PlanChoice, ProductId, Reason, Turn,
    UserId, rules,
};

/// What a customer owns of one product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// Paid and in use.
    pub enabled: i64,
    /// Expired and in grace, still assignable.
    pub warning: i64,
    /// Cancelled.
    pub suspended: i64,
    /// Held by users.
    pub assigned: i64,
}

impl Seats {
    /// Seats that can be assigned.
    pub fn assignable(&self) -> i64 {
        self.enabled + self.warning
    }

    /// Seats that are free; negative after a cut.
    pub fn available(&self) -> i64 {
        self.assignable() - self.assigned
    }

    /// True if nothing can be assigned because what there is was cancelled.
    pub fn is_suspended(&self) -> bool {
        self.assignable() == 0 && self.suspended > 0
    }
}

/// A product that a user holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The product.
    pub product: ProductId,
    /// The choice of its plans.
    pub choice: ChoiceId,
}

/// A user as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    /// Sign-in name.
    pub principal_name: String,
    /// Name for people.
    pub display_name: String,
    /// Where the user works, if known.
    pub usage_location: Option<Country>,
    /// False if nothing new may be given.
    pub active: bool,
    /// What the user holds, by product.
    pub held: Vec<Held>,
}

/// What is so, read under the customer's lock.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Seats of the products that the order names, as far as the customer has a license.
    pub seats: BTreeMap<ProductId, Seats>,
    /// The users of the order that exist.
    pub users: HashMap<UserId, UserState>,
    /// The plan choices that the users' holdings refer to, at least.
    pub choices: Choices,
}

/// The kinds of outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The user's licenses change.
    Applied,
    /// Everything is so already.
    Unchanged,
    /// The user is refused.
    Failed,
}

/// One assignment that appears, disappears or changes its plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The product.
    pub product: ProductId,
    /// The choice before; `None` if the user did not hold the product.
    pub before: Option<ChoiceId>,
    /// The choice after; `None` if the user no longer holds the product.
    pub after: Option<ChoiceId>,
}

/// What becomes of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kind.
    pub disposition: Disposition,
    /// What changes. Empty unless applied.
    pub edits: Vec<Edit>,
    /// What the user holds afterwards, by product.
    pub held: Vec<Held>,
    /// Why the user is refused. Empty unless failed.
    pub reasons: Vec<Reason>,
}

/// What becomes of every user of an order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One outcome per turn.
    pub outcomes: Vec<Outcome>,
    /// By how much the assigned seats of each product move.
    pub seat_deltas: BTreeMap<ProductId, i64>,
    /// Choices to intern: the first has the number -1 in this plan, the next -2.
    pub new_choices: Vec<PlanChoice>,
}

impl Plan {
    /// How many users had this disposition.
    pub fn count(&self, disposition: Disposition) -> u32 {
        let same = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.disposition == disposition);
        u32::try_from(same.count()).expect("an order has at most a chunk of turns")
    }
}

/// Decides an order. Users are served turn by turn: a seat freed by one serves those after it.
/// Every assigned product must be in the catalogue.
pub fn decide(catalogue: &Catalogue, snapshot: &Snapshot, order: &Order) -> Plan {
    let mut run = Run {
        catalogue,
        snapshot,
        seats: snapshot.seats.clone(),
        plan: Plan::default(),
        new_choices: HashMap::new(),
        enabled: HashMap::new(),
        before: PlanBits::default(),
        after: PlanBits::default(),
    };
    for turn in &order.turns {
        let outcome = run.serve(turn, &order.changes[turn.change as usize]);
        run.plan.outcomes.push(outcome);
    }
    for (product, seats) in run.seats {
        let delta = seats.assigned - snapshot.seats[&product].assigned;
        if delta != 0 {
            run.plan.seat_deltas.insert(product, delta);
        }
    }
    assert_eq!(
        run.plan.outcomes.len(),
        order.turns.len(),
        "one outcome per turn"
    );
    run.plan
}

struct Run<'a> {
    catalogue: &'a Catalogue,
    snapshot: &'a Snapshot,
    seats: BTreeMap<ProductId, Seats>,
    plan: Plan,
    new_choices: HashMap<PlanChoice, ChoiceId>,
    /// Which plans a product with a choice turns on: most users share a few combinations.
    enabled: HashMap<(ProductId, ChoiceId), PlanBits>,
    before: PlanBits,
    after: PlanBits,
}

impl Run<'_> {
    fn serve(&mut self, turn: &Turn, change: &Change) -> Outcome {
        let snapshot = self.snapshot;
        let Some(user) = turn.user.and_then(|id| snapshot.users.get(&id)) else {
            return refused(Vec::new(), vec![Reason::UserNotFound]);
        };
        let mut reasons = Vec::new();
        let edits = self.edits(user, change, &mut reasons);
        if edits.is_empty() && reasons.is_empty() {
            let (disposition, held) = (Disposition::Unchanged, user.held.clone());
            return Outcome {
                disposition,
                edits,
                held,
                reasons,
            };
        }
        let held = held_after(&user.held, &edits);
        self.check_user(user, &held, &edits, &mut reasons);
        self.check_seats(&edits, &mut reasons);
        let (before, after) = (&self.before, &self.after);
        rules::violations(
            self.catalogue,
            before,
            after,
            user.usage_location,
            &mut reasons,
        );
        if !reasons.is_empty() {
            return refused(user.held.clone(), reasons);
        }
        self.take_seats(&edits);
        Outcome {
            disposition: Disposition::Applied,
            edits,
            held,
            reasons,
        }
    }

    /// wanted = (held − revoked) ∪ assigned, as the difference to held.
    fn edits(&mut self, user: &UserState, change: &Change, reasons: &mut Vec<Reason>) -> Vec<Edit> {
        let mut edits = Vec::with_capacity(change.assign.len() + change.revoke.len());
        let held = |product| {
            let place = user
                .held
                .binary_search_by_key(&product, |held| held.product)
                .ok();
            place.map(|place| user.held[place].choice)
        };
        for assign in &change.assign {
            let (product, before) = (assign.product, held(assign.product));
            let after = match (before, &assign.plans) {
                (Some(before), None) => before,
                (_, None) => self.choose(product, before, &PlanChoice::ALL, reasons),
                (_, Some(wanted)) => self.choose(product, before, wanted, reasons),
            };
            if before != Some(after) {
                edits.push(Edit {
                    product,
                    before,
                    after: Some(after),
                });
            }
        }
        for &product in &change.revoke {
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

    /// The choice to store. A plan that is retired from the product stays with whoever has it on;
    /// for everyone else "all" leaves it out and naming it is refused.
    fn choose(
        &mut self,
        product: ProductId,
        before: Option<ChoiceId>,
        wanted: &PlanChoice,
        reasons: &mut Vec<Reason>,
    ) -> ChoiceId {
        let entry = self
            .catalogue
            .product(product)
            .expect("assigned products are in the catalogue");
        let kept = before
            .map(|choice| self.enabled(product, choice).clone())
            .unwrap_or_default();
        let gone = self.catalogue.plan_ids(&self.catalogue.gone(entry, &kept));
        match wanted {
            PlanChoice::AllExcept(except) if !gone.is_empty() => {
                let mut except = [except.as_slice(), &gone].concat();
                except.sort_unstable();
                except.dedup();
                self.intern(&PlanChoice::AllExcept(except))
            }
            PlanChoice::Only(only) => {
                let lost = only.iter().filter(|plan| gone.binary_search(plan).is_ok());
                reasons.extend(lost.map(|&plan| Reason::PlanNotInProduct { product, plan }));
                self.intern(wanted)
            }
            PlanChoice::AllExcept(_) => self.intern(wanted),
        }
    }

    fn intern(&mut self, choice: &PlanChoice) -> ChoiceId {
        let known = self.snapshot.choices.id(choice);
        if let Some(id) = known.or_else(|| self.new_choices.get(choice).copied()) {
            return id;
        }
        self.plan.new_choices.push(choice.clone());
        let number = i32::try_from(self.plan.new_choices.len()).expect("fewer than turns");
        self.new_choices.insert(choice.clone(), ChoiceId(-number));
        ChoiceId(-number)
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
        if user.usage_location.is_none() && new_product {
            reasons.push(Reason::UsageLocationMissing);
        }
    }

    fn check_seats(&self, edits: &[Edit], reasons: &mut Vec<Reason>) {
        for product in edits
            .iter()
            .filter(|edit| edit.before.is_none())
            .map(|edit| edit.product)
        {
            if self
                .catalogue
                .product(product)
                .is_some_and(|product| product.for_company)
            {
                reasons.push(Reason::ProductNotForUsers { product });
            }
            match self.seats.get(&product) {
                None => reasons.push(Reason::ProductNotLicensed { product }),
                Some(seats) if seats.is_suspended() => {
                    reasons.push(Reason::LicenseSuspended { product });
                }
                Some(seats) if seats.available() <= 0 => {
                    let available = seats.available();
                    reasons.push(Reason::SeatsExhausted { product, available });
                }
                Some(_) => {}
            }
        }
    }

    fn take_seats(&mut self, edits: &[Edit]) {
        for edit in edits {
            let step = i64::from(edit.after.is_some()) - i64::from(edit.before.is_some());
            if step != 0 {
                let seats = self.seats.get_mut(&edit.product);
                seats.expect("an assignment has a license").assigned += step;
            }
        }
    }

    fn enabled(&mut self, product: ProductId, choice: ChoiceId) -> &PlanBits {
        let Self {
            enabled,
            catalogue,
            snapshot,
            plan,
            ..
        } = self;
        enabled.entry((product, choice)).or_insert_with(|| {
            let entry: Option<&Product> = catalogue.product(product);
            let choice = match choice.0 {
                number @ ..0 => &plan.new_choices[number.unsigned_abs() as usize - 1],
                _ => snapshot
                    .choices
                    .get(choice)
                    .expect("choices of the snapshot are known"),
            };
            entry
                .map(|product| catalogue.effective(product, choice))
                .unwrap_or_default()
        })
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

fn refused(held: Vec<Held>, reasons: Vec<Reason>) -> Outcome {
    Outcome {
        disposition: Disposition::Failed,
        edits: Vec::new(),
        held,
        reasons,
    }
}

#[cfg(test)]
mod tests;
