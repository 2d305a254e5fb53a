//! What comes after a run: somebody else changes some of its users, it is taken back, or those who
//! failed are tried again. And the past stays what it was.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::Timestamp;
use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::{
    BatchResult, GetUserAtRequest, ListHistoryRequest, ReasonCode, RetryBatchRequest,
    RevertBatchRequest,
};

use super::catalogue::{Product, product};
use super::oracle::{Oracle, Person, State};
use super::order::{Choice, Order};
use super::run::{Seen, number, see};
use super::world::{World, below};
use crate::customer::Customer;
use crate::fixtures::{Random, user_id};

/// A user before the batch, after it, after what others have done, and after the revert.
struct Moments<'a> {
    before: &'a Person,
    after: &'a Person,
    between: &'a Person,
    end: &'a Person,
}

/// A batch that was carried out, and what was so around it.
struct Run {
    seen: Seen,
    before: State,
    after: State,
    /// After what others have done.
    between: State,
}

/// Carries the order of a world out, lets others change something, and goes back to the batch.
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
    let end = last_commit(customer).await;
    let gifts: Vec<_> = world
        .gifts
        .iter()
        .filter(|gifts| !gifts.is_empty())
        .collect();
    if !gifts.is_empty() {
        customer.carry_out(gifts[below(random, gifts.len())]).await;
    }
    let between = state().await;
    check_past(customer, &after, end).await?;
    let run = Run {
        seen: run,
        before,
        after,
        between,
    };
    match random.below(2) {
        0 => check_revert(customer, &run, random).await,
        _ => check_retry(customer, &run, order, random).await,
    }
}

/// When the newest record of the customer's journal was committed.
async fn last_commit(customer: &Customer) -> Option<Timestamp> {
    let request = ListHistoryRequest {
        customer_id: customer.id.clone(),
        page_size: 1,
        ..ListHistoryRequest::default()
    };
    let page = customer.client.list_history(request).await.expect("a page");
    page.records[0].commit_time
}

/// Asks what users held at a time.
async fn check_past(
    customer: &Customer,
    then: &State,
    time: Option<Timestamp>,
) -> Result<(), String> {
    for (user, person) in &then.people {
        let request = GetUserAtRequest {
            customer_id: customer.id.clone(),
            user: user_id(*user),
            time,
        };
        let seen = customer.client.get_user_at(request).await;
        let seen = seen.map_err(|error| format!("the past of user {user}: {error}"))?;
        let held = seen.held.iter();
        let held = held.map(|held| (product(&held.product_id), Choice::read(held.plans.as_ref())));
        let held: BTreeMap<Product, Choice> = held.collect();
        let is_so = seen.existed && seen.active == person.active && held == person.held;
        demand(
            is_so,
            &format!("user {user} was {person:?}, and is said to have been {seen:?}"),
        )?;
    }
    Ok(())
}

/// Tries those again whom the batch has refused, as the batch would be tried on them now.
async fn check_retry(
    customer: &Customer,
    run: &Run,
    order: &Order,
    random: &mut Random,
) -> Result<(), String> {
    let include_skipped = random.below(2) == 0;
    let verdicts = run.seen.outcome.verdicts.iter().zip(&order.steps);
    let again = verdicts.filter(|(verdict, _)| match verdict.disposition {
        Disposition::Failed => true,
        Disposition::Skipped => include_skipped,
        _ => false,
    });
    let order = Order {
        steps: again.map(|(_, step)| step.clone()).collect(),
        ..order.clone()
    };
    if order.steps.is_empty() {
        return Ok(());
    }
    let request = RetryBatchRequest {
        include_skipped,
        ..customer.retry(&run.batch_id())
    };
    let seen = see(customer.client.batch(request)).await;
    let oracle = Oracle { without: None };
    let checked = super::check(&run.between, &order, &seen, oracle);
    checked.map_err(|wrong| format!("the retry: {wrong}"))?;
    let expected = match &seen {
        Ok(seen) => oracle.foretell(&run.between, &order, &seen.served).1,
        Err(_) => run.between.clone(),
    };
    let end = customer.lists().await.state();
    demand(
        end == expected,
        &format!("the retry ends in {end:?}, not {expected:?}"),
    )
}

/// Takes the batch back.
async fn check_revert(customer: &Customer, run: &Run, random: &mut Random) -> Result<(), String> {
    let takes_safe_part = random.below(2) == 0;
    let request = RevertBatchRequest {
        take_safe_part: takes_safe_part,
        ..customer.revert(&run.batch_id())
    };
    let revert = see(customer.client.batch(request)).await;
    let revert = revert.map_err(|error| format!("the revert: {error}"))?;
    let end = customer.lists().await.state();
    end.check_counts()?;
    let results = &revert.results;
    let of = |user: usize| {
        results
            .iter()
            .find(|result| number(&result.user_id) == user)
    };
    for (user, then) in &run.before.people {
        let person = |state: &'_ State| -> Person { state.people[user].clone() };
        let (after, between) = (person(&run.after), person(&run.between));
        let end = person(&end);
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

impl Run {
    fn batch_id(&self) -> String {
        let batch = self.seen.summary.batch.as_ref();
        batch.expect("a batch").batch_id.clone()
    }
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
