//! What comes after a run: somebody else changes some of its users, and it is taken back.

use std::collections::BTreeSet;

use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::{BatchResult, ReasonCode, RevertBatchRequest};

use super::catalogue::{Product, product};
use super::oracle::{Person, State};
use super::order::Order;
use super::run::{number, see};
use super::world::{World, below};
use crate::customer::Customer;
use crate::fixtures::Random;

/// A user before the batch, after it, after what others have done, and after the revert.
struct Moments<'a> {
    before: &'a Person,
    after: &'a Person,
    between: &'a Person,
    end: &'a Person,
}

/// Carries the order of a world out and takes it back.
pub(crate) async fn check(
    customer: &Customer,
    world: &World,
    order: &Order,
    random: &mut Random,
) -> Result<(), String> {
    let state = async || customer.lists().await.state();
    let before = state().await;
    let Ok(run) = see(customer.client.batch(world.request(customer, order))).await else {
        // Seats are short, which is checked elsewhere.
        return Ok(());
    };
    let after = state().await;
    let gifts: Vec<_> = world
        .gifts
        .iter()
        .filter(|gifts| !gifts.is_empty())
        .collect();
    if !gifts.is_empty() {
        customer.carry_out(gifts[below(random, gifts.len())]).await;
    }
    let between = state().await;

    let batch = run.summary.batch.expect("a batch");
    let takes_safe_part = random.below(2) == 0;
    let request = RevertBatchRequest {
        take_safe_part: takes_safe_part,
        ..customer.revert(&batch.batch_id)
    };
    let revert = see(customer.client.batch(request)).await;
    let revert = revert.map_err(|error| format!("the revert: {error}"))?;
    let end = state().await;
    end.check_counts()?;
    let results = &revert.results;
    let of = |user: usize| {
        results
            .iter()
            .find(|result| number(&result.user_id) == user)
    };
    for (user, then) in &before.people {
        let person = |state: &'_ State| -> Person { state.people[user].clone() };
        let (after, between, end) = (person(&after), person(&between), person(&end));
        let moments = Moments {
            before: then,
            after: &after,
            between: &between,
            end: &end,
        };
        let right = moments.is_right(of(*user), takes_safe_part);
        right.map_err(|wrong| format!("the revert of user {user}: {wrong}: {:?}", of(*user)))?;
    }
    Ok(())
}

impl Moments<'_> {
    /// Says what is wrong with the result of the revert, if anything.
    fn is_right(&self, result: Option<&BatchResult>, takes_safe_part: bool) -> Result<(), String> {
        let products = self.before.held.keys().chain(self.after.held.keys());
        let (before, after) = (&self.before.held, &self.after.held);
        let (between, end) = (&self.between.held, &self.end.held);
        let touched: BTreeSet<Product> = products
            .filter(|product| before.get(product) != after.get(product))
            .copied()
            .collect();
        let Some(result) = result else {
            return demand(touched.is_empty() && between == end, "it has no result");
        };
        demand(!touched.is_empty(), "the batch did not change it")?;
        let reasons = result.reasons.iter();
        let changed = reasons.filter(|reason| reason.code() == ReasonCode::ChangedSince);
        let told: BTreeSet<Product> = changed
            .map(|reason| product(&reason.product.as_ref().expect("a product").product_id))
            .collect();
        if touched
            .iter()
            .all(|product| between.get(product) == before.get(product))
        {
            let is_so = result.disposition() == Disposition::Unchanged && between == end;
            return demand(is_so && result.reasons.is_empty(), "all is as before");
        }
        let is_left = |product: &&Product| between.get(product) == after.get(product);
        let is_back = |product: &Product| between.get(product) == before.get(product);
        let left: Vec<Product> = touched.iter().filter(is_left).copied().collect();
        let changed: BTreeSet<Product> = touched
            .iter()
            .filter(|product| !(is_left(product) || takes_safe_part && is_back(product)))
            .copied()
            .collect();
        let is_safe = takes_safe_part && !left.is_empty();
        if !changed.is_empty() && !is_safe {
            let is_refused = result.disposition() == Disposition::Failed && between == end;
            return demand(is_refused && told == changed, "others have changed it");
        }
        if result.disposition() == Disposition::Failed {
            let is_ruled = told.is_empty() && !result.reasons.is_empty();
            return demand(is_ruled && between == end, "seats or rules forbid it");
        }
        let mut restored = between.clone();
        for product in left {
            match before.get(&product) {
                Some(choice) => restored.insert(product, choice.clone()),
                None => restored.remove(&product),
            };
        }
        let is_done = result.disposition() == Disposition::Applied && *end == restored;
        demand(is_done && told == changed, "it is taken back")
    }
}

fn demand(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
