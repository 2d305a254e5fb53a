//! A world on the server: how it is made, what is seen of it, and how that is compared.

use std::collections::{BTreeMap, BTreeSet};

use seatwise_client::v1::{
    self, Assignment, Batch, BatchResult, BatchSummary, CreateCustomerRequest, ExecuteBatchRequest,
    License, SetSeatsRequest, User, UserChange, user,
};
use seatwise_client::{BatchStream, Client, Error};

use super::catalogue::{Product, last_part, plan, product, product_id};
use super::oracle::{self, Outcome, Person, Seats, State, Verdict, Why};
use super::order::{Change, Choice};
use super::world::{Numbers, Settled, World};
use crate::customer::Customer;
use crate::fixtures::user_id;

/// All that a customer's lists show.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lists {
    users: Vec<User>,
    licenses: Vec<License>,
    assignments: Vec<Assignment>,
    batches: Vec<Batch>,
}

/// What a stream told.
#[derive(Debug)]
pub(crate) struct Seen {
    /// As sent, but for what a preview lacks.
    pub(crate) results: Vec<BatchResult>,
    pub(crate) summary: BatchSummary,
    /// The places of the users in the order in which they were served.
    pub(crate) served: Vec<usize>,
    pub(crate) outcome: Outcome,
}

/// Makes the customer of a world, up to the batch under test.
pub(crate) async fn settle(client: &Client, world: &World) -> Customer {
    let request = CreateCustomerRequest {
        customer_id: String::new(),
        display_name: "World".to_owned(),
        comment: String::new(),
    };
    let customer = client.create_customer(request).await;
    let customer = Customer {
        client: client.clone(),
        id: customer.expect("a customer is made").customer_id,
    };
    let people = world.people.iter().map(Settled::message);
    customer.import(people.collect()).await;
    for (product, numbers) in &world.seats {
        customer.set_numbers(*product, *numbers).await;
    }
    for gifts in world.gifts.iter().filter(|gifts| !gifts.is_empty()) {
        customer.carry_out(gifts).await;
    }
    for (product, numbers) in &world.cuts {
        customer.set_numbers(*product, *numbers).await;
    }
    if !world.moved.is_empty() {
        let moved = world.moved.iter().map(Settled::message);
        customer.import(moved.collect()).await;
    }
    customer
}

impl Customer {
    pub(crate) async fn set_numbers(&self, product: Product, numbers: Numbers) {
        let (enabled, warning, suspended) = numbers;
        let request = SetSeatsRequest {
            customer_id: self.id.clone(),
            product_id: product_id(product),
            enabled: Some(enabled),
            warning: Some(warning),
            suspended: Some(suspended),
            ..SetSeatsRequest::default()
        };
        self.set_license(request).await;
    }

    /// Does a change to each user as far as that can be.
    pub(crate) async fn carry_out(&self, changes: &[(usize, Change)]) {
        let changes = changes.iter();
        let changes = changes.map(|(user, change)| (user_id(*user), change.message()));
        let request = self.own_changes(changes);
        let done = see(self.client.batch(request)).await;
        done.expect("the batch is accepted and ends");
    }

    pub(crate) async fn lists(&self) -> Lists {
        Lists {
            users: self.users().await,
            licenses: self.licenses().await,
            assignments: self.assignments().await,
            batches: self.batches().await,
        }
    }
}

impl Lists {
    /// What of it decides a batch.
    pub(crate) fn state(&self) -> State {
        let mut people: BTreeMap<usize, Person> = BTreeMap::new();
        for user in &self.users {
            let person = Person {
                name: user.display_name.clone(),
                active: user.state() == user::State::Active,
                location: user.usage_location.clone(),
                held: BTreeMap::new(),
            };
            people.insert(number(&user.user_id), person);
        }
        for assignment in &self.assignments {
            let person = people.get_mut(&number(&assignment.user_id));
            let held = &mut person.expect("who holds is listed").held;
            let product = product(&assignment.product_id);
            let choice = Choice::read(assignment.plans.as_ref());
            let on = assignment.enabled_plan_ids.iter().map(|id| plan(id));
            assert_eq!(choice.on(product), on.collect(), "{assignment:?}");
            held.insert(product, choice);
        }
        let licenses = self.licenses.iter().map(|license| {
            let seen = oracle::License {
                enabled: license.enabled(),
                warning: license.warning(),
                suspended: license.suspended(),
                assigned: license.assigned(),
            };
            (product(&license.product_id), seen)
        });
        State {
            licenses: licenses.collect(),
            people,
        }
    }
}

impl State {
    /// Checks that every license counts its holders.
    pub(crate) fn check_counts(&self) -> Result<(), String> {
        for (product, license) in &self.licenses {
            let people = self.people.values();
            let holders = people
                .filter(|person| person.held.contains_key(product))
                .count();
            if usize::try_from(license.assigned) != Ok(holders) {
                return Err(format!("product {product}: {license:?}, {holders} holders"));
            }
        }
        Ok(())
    }
}

/// Reads a stream to its end.
pub(crate) async fn see(mut stream: BatchStream) -> Result<Seen, Error> {
    let mut results = Vec::new();
    while let Some(result) = stream.next().await {
        let mut result = result?.result;
        result.cursor.clear();
        result.commit_time = None;
        results.push(result);
    }
    let summary = stream.summary().expect("a summary at the end").clone();
    let place = |result: &BatchResult| usize::try_from(result.index()).expect("a place");
    let verdicts: BTreeMap<_, _> = results.iter().map(|r| (place(r), verdict(r))).collect();
    assert_eq!(verdicts.len(), results.len(), "one result per user");
    let reasons = summary.reasons.iter();
    let seats = summary.seats.iter().map(|change| {
        let product = change.product.as_ref().expect("a product");
        (self::product(&product.product_id), seats(change))
    });
    Ok(Seen {
        served: results.iter().map(place).collect(),
        outcome: Outcome {
            verdicts: verdicts.into_values().collect(),
            seats: seats.collect(),
            counts: reasons.map(|r| (r.code(), r.user_count())).collect(),
            rolled_back: summary.rolled_back,
        },
        results,
        summary,
    })
}

fn seats(change: &v1::SeatChange) -> Seats {
    let count = |count: &Option<v1::SeatCount>| {
        let count = count.as_ref().expect("a count");
        assert_eq!(count.available(), count.total() - count.assigned());
        (count.total(), count.assigned())
    };
    Seats {
        before: count(&change.before),
        after: count(&change.after),
        shortage: change.shortage(),
    }
}

fn verdict(result: &BatchResult) -> Verdict {
    let set = |ids: &[String]| ids.iter().map(|id| product(id)).collect();
    let held = result.held.iter().map(|held| {
        let product = product(&held.product_id);
        (product, Choice::read(held.plans.as_ref()).on(product))
    });
    Verdict {
        disposition: result.disposition(),
        assigned: set(&result.assigned_product_ids),
        revoked: set(&result.revoked_product_ids),
        changed: set(&result.changed_product_ids),
        held: held.collect(),
        reasons: result.reasons.iter().flat_map(reasons).collect(),
    }
}

/// A reason; of plans that exclude each other, one for each pair.
fn reasons(reason: &v1::Reason) -> Vec<Why> {
    let plan_of = |plan: &v1::PlanRef| self::plan(&plan.plan_id);
    let suppliers = reason.suppliers.iter();
    let why = Why {
        product: reason.product.as_ref().map(|p| product(&p.product_id)),
        plan: reason.plan.as_ref().map(plan_of),
        others: reason.others.iter().map(plan_of).collect(),
        location: reason.usage_location.clone(),
        available: reason.available,
        suppliers: suppliers.map(|p| product(&p.product_id)).collect(),
        ..Why::of(reason.code())
    };
    if why.code != v1::ReasonCode::MutuallyExclusivePlans {
        return vec![why];
    }
    let one = why.plan.expect("a plan");
    let pair = |other: &char| Why {
        plan: Some(one.min(*other)),
        others: [one.max(*other)].into(),
        ..why.clone()
    };
    why.others.iter().map(pair).collect()
}

pub(crate) fn number(user_id: &str) -> usize {
    usize::try_from(last_part(user_id)).expect("small")
}

/// Tells where two outcomes differ.
pub(crate) fn compare(what: &str, seen: &Outcome, expected: &Outcome) -> Result<(), String> {
    if seen == expected {
        return Ok(());
    }
    let mut lines = vec![format!("{what} differs from what is expected")];
    for (place, (seen, expected)) in seen.verdicts.iter().zip(&expected.verdicts).enumerate() {
        if seen != expected {
            lines.push(format!(
                "user at {place}\n  seen     {seen:?}\n  expected {expected:?}"
            ));
        }
    }
    let rest = |o: &Outcome| {
        format!(
            "{} users, {:?}, {:?}, {}",
            o.verdicts.len(),
            o.seats,
            o.counts,
            o.rolled_back
        )
    };
    lines.push(format!(
        "all\n  seen     {}\n  expected {}",
        rest(seen),
        rest(expected)
    ));
    Err(lines.join("\n"))
}

/// The products whose seats somebody found missing.
pub(crate) fn short(outcome: &Outcome) -> BTreeMap<Product, i32> {
    let short = outcome.seats.iter().filter(|(_, seats)| seats.shortage > 0);
    short
        .map(|(product, seats)| (*product, seats.shortage))
        .collect()
}

pub(crate) fn exhausted(outcome: &Outcome) -> BTreeSet<Product> {
    let reasons = outcome.verdicts.iter().flat_map(|verdict| &verdict.reasons);
    let seats = reasons.filter(|why| why.code == v1::ReasonCode::SeatsExhausted);
    seats.filter_map(|why| why.product).collect()
}

/// The same request for another change.
pub(crate) fn another(request: &ExecuteBatchRequest) -> ExecuteBatchRequest {
    let mut other = request.clone();
    let change = match other.user_changes.first_mut() {
        Some(UserChange { change, .. }) => change,
        None => &mut other.change,
    };
    let change = change.as_mut().expect("every batch has a change");
    match &mut change.revoke_others {
        others @ None => *others = Some(v1::RevokeOthers::default()),
        others => *others = None,
    }
    other
}
