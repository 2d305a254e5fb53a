use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::{
    Catalogue, ChoiceId, Choices, Country, Digest, Disposition, Held, LaterPlans, NewProduct,
    Order, Outcome, Plan, PlanChoice, PlanId, ProductId, ProductPlan, Progress, Reason, Rule,
    SeatTally, Seats, Snapshot, Stop, Terms, Turn, UserId, UserState, decide,
};

/// Everything that a decision depends on, in plain sets.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) products: BTreeMap<ProductId, Bundle>,
    pub(super) rules: BTreeSet<Rule>,
    pub(super) seats: BTreeMap<ProductId, Seats>,
    /// Where the customer decided otherwise than the product.
    pub(super) later_plans: BTreeMap<ProductId, LaterPlans>,
    pub(super) users: BTreeMap<UserId, Person>,
    /// The whole batch.
    pub(super) order: Order,
    /// Turns at which another order of the batch begins.
    pub(super) cuts: BTreeSet<usize>,
    pub(super) terms: Terms,
    /// Numbers of choices that undos name.
    pub(super) choices: Choices,
}

/// A product.
#[derive(Clone, Debug, Default)]
pub(super) struct Bundle {
    pub(super) for_company: bool,
    pub(super) later_plans: LaterPlans,
    /// All plans, also retired ones.
    pub(super) plans: BTreeSet<PlanId>,
    pub(super) retired: BTreeSet<PlanId>,
}

/// A user.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) location: Option<Country>,
    pub(super) active: bool,
    pub(super) held: Holdings,
}

pub(super) type Holdings = BTreeMap<ProductId, PlanChoice>;

pub(super) type SeatCounts = BTreeMap<ProductId, Seats>;

/// What became of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decided {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) seats: SeatCounts,
    pub(super) stopped: Option<Stop>,
    /// The sums, but for what is only kept to go on: `unmet` is 0.
    pub(super) sums: BTreeMap<ProductId, SeatTally>,
    pub(super) reasons: BTreeMap<String, u64>,
}

/// What became of one turn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) disposition: Disposition,
    pub(super) held: Holdings,
    /// In no particular order.
    pub(super) reasons: Vec<Reason>,
}

impl Verdict {
    pub(super) fn new(disposition: Disposition, held: Holdings, mut reasons: Vec<Reason>) -> Self {
        reasons.sort_by_key(|reason| format!("{reason:?}"));
        Self {
            disposition,
            held,
            reasons,
        }
    }
}

impl World {
    /// Decides the world, with `decide`.
    pub(super) fn decide(&self) -> Decided {
        self.run().0
    }

    pub(super) fn digest(&self) -> Digest {
        self.run().1
    }

    /// Decides order by order and carries on in between what a batch carries on.
    fn run(&self) -> (Decided, Digest) {
        let catalogue = self.catalogue();
        let (mut progress, mut digest, mut verdicts) =
            (Progress::default(), Digest::default(), Vec::new());
        let mut now = self.clone();
        for order in self.orders() {
            now.order = order;
            let snapshot = Snapshot {
                progress: progress.clone(),
                ..now.snapshot()
            };
            let plan = decide(&catalogue, &snapshot, &now.order, self.terms);
            let told = now.read(&snapshot, &plan);
            digest.add(Digest::of(&catalogue, &snapshot, &now.order, &plan));
            progress.add(&snapshot, &now.order, &plan);
            for (product, delta) in &plan.seat_deltas {
                let seats = now.seats.get_mut(product);
                seats.expect("only licensed seats move").assigned += delta;
            }
            now.settle(&told);
            verdicts.extend(told);
        }
        let failed = verdicts
            .iter()
            .filter(|verdict| verdict.disposition == Disposition::Failed);
        assert_eq!(progress.failed, failed.count() as u64);
        let told = |(product, tally)| (product, SeatTally { unmet: 0, ..tally });
        let decided = Decided {
            verdicts,
            seats: now.seats,
            stopped: progress.stopped,
            sums: progress.tally.seats.into_iter().map(told).collect(),
            reasons: progress.tally.reasons,
        };
        (decided, digest)
    }

    /// The batch in parts, each with the changes that its turns name.
    fn orders(&self) -> Vec<Order> {
        let mut orders: Vec<Order> = Vec::new();
        for (place, turn) in self.order.turns.iter().enumerate() {
            if place == 0 || self.cuts.contains(&place) {
                orders.push(Order::default());
            }
            let order = orders.last_mut().expect("the first turn begins one");
            let change = &self.order.changes[turn.change as usize];
            let known = order.changes.iter().position(|other| other == change);
            let number = known.unwrap_or(order.changes.len());
            if known.is_none() {
                order.changes.push(change.clone());
            }
            let change = u32::try_from(number).expect("few changes");
            order.turns.push(Turn {
                change,
                ..turn.clone()
            });
        }
        orders
    }

    /// The world after a decision.
    pub(super) fn after(&self, decided: &Decided) -> Self {
        let mut next = self.clone();
        next.seats.clone_from(&decided.seats);
        next.settle(&decided.verdicts);
        next
    }

    fn settle(&mut self, verdicts: &[Verdict]) {
        for (turn, verdict) in self.order.turns.iter().zip(verdicts) {
            if let Some(user) = turn.user.and_then(|user| self.users.get_mut(&user)) {
                user.held.clone_from(&verdict.held);
            }
        }
    }

    /// What a turn's user holds in this world.
    pub(super) fn held(&self, user: Option<UserId>) -> Holdings {
        user.and_then(|user| self.users.get(&user))
            .map(|user| user.held.clone())
            .unwrap_or_default()
    }

    /// Plans that nobody uses stand between the first two and the others, so that the numbers of
    /// a few plans spread over several machine words.
    pub(super) fn catalogue(&self) -> Catalogue {
        let known: BTreeSet<_> = self
            .products
            .values()
            .flat_map(|product| &product.plans)
            .collect();
        let mut plans: Vec<_> = known.into_iter().copied().collect();
        let unused = (0..62).map(|number| PlanId(Uuid::from_u128(u128::MAX - number)));
        plans.splice(plans.len().min(2)..plans.len().min(2), unused);
        let product = |(&id, product): (&ProductId, &Bundle)| NewProduct {
            id,
            display_name: id.to_string(),
            for_company: product.for_company,
            later_plans: product.later_plans,
        };
        let pairs = self.products.iter().flat_map(|(&id, product)| {
            let pair = move |&plan| {
                let retired = product.retired.contains(&plan);
                ProductPlan {
                    product: id,
                    plan,
                    retired,
                }
            };
            product.plans.iter().map(pair)
        });
        let plans = plans.into_iter().map(|plan| (plan, String::new()));
        Catalogue::new(
            7,
            self.products.iter().map(product),
            plans,
            pairs,
            self.rules.clone(),
        )
    }

    /// Holds no more than a snapshot must: the users and choices that the order is about.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            seats: self.seats.clone(),
            later_plans: self.later_plans.clone(),
            choices: self.choices.clone(),
            ..Snapshot::default()
        };
        for id in self.order.turns.iter().filter_map(|turn| turn.user) {
            let Some(person) = self.users.get(&id) else {
                continue;
            };
            let held = person.held.iter().map(|(&product, choice)| {
                let choice = number(&mut snapshot.choices, choice);
                Held { product, choice }
            });
            let user = UserState {
                principal_name: format!("{id}@example.com"),
                display_name: id.to_string(),
                usage_location: person.location,
                active: person.active,
                held: held.collect(),
                changers: Vec::new(),
            };
            snapshot.users.insert(id, user);
        }
        snapshot
    }

    /// Reads a plan, and checks that it says the same thing everywhere.
    fn read(&self, snapshot: &Snapshot, plan: &Plan) -> Vec<Verdict> {
        let mut choices = snapshot.choices.clone();
        for (choice, number) in plan.new_choices.iter().zip(1..) {
            assert_eq!(choices.id(choice), None, "{choice:?} is interned already");
            assert!(
                choice.plans().is_sorted_by(|a, b| a < b),
                "{choice:?} has its plans sorted"
            );
            choices.insert(ChoiceId(-number), choice.clone());
        }
        let mut moved = BTreeMap::new();
        assert_eq!(plan.outcomes.len(), self.order.turns.len());
        let verdicts = self
            .order
            .turns
            .iter()
            .zip(&plan.outcomes)
            .map(|(turn, outcome)| {
                let user = turn.user.and_then(|user| snapshot.users.get(&user));
                verify(user.map_or(&[], |user| &user.held), outcome);
                for edit in &outcome.edits {
                    let step = i64::from(edit.after.is_some()) - i64::from(edit.before.is_some());
                    *moved.entry(edit.product).or_default() += step;
                }
                let choice =
                    |held: &Held| choices.get(held.choice).expect("a known choice").clone();
                let held = outcome
                    .held
                    .iter()
                    .map(|held| (held.product, choice(held)))
                    .collect();
                Verdict::new(outcome.disposition, held, outcome.reasons.clone())
            });
        let verdicts = verdicts.collect();
        moved.retain(|_, delta| *delta != 0);
        assert_eq!(plan.seat_deltas, moved, "the seats move as the edits say");
        verdicts
    }
}

/// Checks that the parts of an outcome fit each other.
fn verify(before: &[Held], outcome: &Outcome) {
    let mut held: BTreeMap<_, _> = before
        .iter()
        .map(|held| (held.product, held.choice))
        .collect();
    for edit in &outcome.edits {
        assert_eq!(
            edit.before,
            held.get(&edit.product).copied(),
            "{edit:?} starts from what is so"
        );
        assert_ne!(edit.before, edit.after, "an edit changes something");
        match edit.after {
            Some(choice) => held.insert(edit.product, choice),
            None => held.remove(&edit.product),
        };
    }
    let held: Vec<_> = held
        .into_iter()
        .map(|(product, choice)| Held { product, choice })
        .collect();
    assert_eq!(
        outcome.held, held,
        "held after is held before with the edits"
    );
    assert_eq!(
        outcome.edits.is_empty(),
        outcome.disposition != Disposition::Applied
    );
    let is_left_alone = |reason: &Reason| matches!(reason, Reason::ChangedSince { .. });
    match outcome.disposition {
        Disposition::Applied => assert!(outcome.reasons.iter().all(is_left_alone)),
        Disposition::Unchanged => assert_eq!(outcome.reasons, []),
        Disposition::Failed | Disposition::Skipped => assert_ne!(outcome.reasons, []),
    }
}

pub(super) fn number(choices: &mut Choices, choice: &PlanChoice) -> ChoiceId {
    if let Some(known) = choices.id(choice) {
        return known;
    }
    let next = (1..)
        .map(ChoiceId)
        .find(|id| choices.get(*id).is_none())
        .expect("a free number");
    choices.insert(next, choice.clone());
    next
}
