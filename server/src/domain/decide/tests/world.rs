use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::{
    Catalogue, ChoiceId, Choices, Country, Disposition, Held, LaterPlans, NewProduct, Order,
    Outcome, Plan, PlanChoice, PlanId, ProductId, ProductPlan, Reason, Rule, Seats, Snapshot,
    Terms, UserId, UserState, decide,
};

/// Everything that a decision depends on, in plain sets.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) products: BTreeMap<ProductId, Bundle>,
    pub(super) rules: BTreeSet<Rule>,
    pub(super) seats: BTreeMap<ProductId, Seats>,
    pub(super) users: BTreeMap<UserId, Person>,
    pub(super) order: Order,
}

/// A product.
#[derive(Clone, Debug, Default)]
pub(super) struct Bundle {
    pub(super) for_company: bool,
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

/// What became of all turns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decided {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) seat_deltas: BTreeMap<ProductId, i64>,
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
        let snapshot = self.snapshot();
        let plan = decide(&self.catalogue(), &snapshot, &self.order, Terms::BestEffort);
        self.read(&snapshot, &plan)
    }

    /// The world after a decision.
    pub(super) fn after(&self, decided: &Decided) -> Self {
        let mut next = self.clone();
        for (turn, verdict) in self.order.turns.iter().zip(&decided.verdicts) {
            if let Some(user) = turn.user.and_then(|user| next.users.get_mut(&user)) {
                user.held.clone_from(&verdict.held);
            }
        }
        for (product, delta) in &decided.seat_deltas {
            next.seats
                .get_mut(product)
                .expect("only licensed seats move")
                .assigned += delta;
        }
        next
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
            later_plans: LaterPlans::On,
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
            };
            snapshot.users.insert(id, user);
        }
        snapshot
    }

    /// Reads a plan, and checks that it says the same thing everywhere.
    fn read(&self, snapshot: &Snapshot, plan: &Plan) -> Decided {
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
        Decided {
            verdicts,
            seat_deltas: plan.seat_deltas.clone(),
        }
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
    assert_eq!(
        outcome.reasons.is_empty(),
        outcome.disposition != Disposition::Failed
    );
}

fn number(choices: &mut Choices, choice: &PlanChoice) -> ChoiceId {
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
