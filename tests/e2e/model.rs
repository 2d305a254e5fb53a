//! Thousands of random worlds, each held against a model that knows nothing of the server: previews
//! and runs come to what the model says, plan tokens hold what they promise, and every rule of the
//! model is needed.
//!
//! A world that fails prints its number; `SEATWISE_TEST_WORLD` runs that one alone. `SEATWISE_TEST_WORLDS`
//! says how many to try, as 2000, which takes some minutes.

mod afterwards;
mod catalogue;
mod facts;
mod oracle;
mod order;
mod rule;
mod run;
mod tokens;
mod world;

use std::ops::Range;

use seatwise_client::v1::ErrorReason;
use seatwise_client::{Client, Error};

use crate::customer::Customer;
use crate::database::variable;
use crate::fixtures::Random;
use crate::harness::{Engine, Harness, on_every_engine};

use oracle::{Oracle, Rule, State};
use order::{Mode, Order};
use run::{Lists, Seen, compare, see, settle, short};
use world::World;

/// Worlds that are made and tried at the same time.
const AT_ONCE: u64 = 8;
/// Worlds that are tried with every change of the code.
const WORLDS_ON_SQLITE: u64 = 300;
const WORLDS_ON_POSTGRES: u64 = 80;
const SEED: u64 = 20_261_122;

/// What is found on the way to the batch under test.
struct Found {
    customer: Customer,
    before: Lists,
    state: State,
    order: Order,
    preview: Result<Seen, Error>,
}

async fn every_world_is_as_the_model_says(server: &Harness) {
    server.start().await;
    let client = server.client();
    catalogue::import(&client).await;
    let worlds = match server.engine() {
        Engine::Sqlite => WORLDS_ON_SQLITE,
        Engine::Postgres => WORLDS_ON_POSTGRES,
    };
    let number = |name| variable(name).map(|text| text.parse().expect("a number of worlds"));
    let worlds = match (
        number("SEATWISE_TEST_WORLD"),
        number("SEATWISE_TEST_WORLDS"),
    ) {
        (Some(world), _) => world..world + 1,
        (None, count) => 0..count.unwrap_or(worlds),
    };
    let tried =
        (0..AT_ONCE).map(|first| tokio::spawn(try_some(client.clone(), worlds.clone(), first)));
    let tried: Vec<_> = tried.collect();
    let mut wrong = Vec::new();
    for tried in tried {
        wrong.extend(tried.await.expect("worlds are tried without a panic").err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Tries every eighth world, up to the first that is wrong.
async fn try_some(client: Client, worlds: Range<u64>, first: u64) -> Result<(), String> {
    let step = usize::try_from(AT_ONCE).expect("small");
    for number in worlds
        .skip(usize::try_from(first).expect("small"))
        .step_by(step)
    {
        let mut random = random_of(number);
        let world = World::random(&mut random);
        let tried = try_world(&client, &world, &mut random).await;
        tried.map_err(|wrong| format!("world {number} of seed {SEED}: {wrong}\n{world}"))?;
    }
    Ok(())
}

fn random_of(number: u64) -> Random {
    Random::quiet(SEED.wrapping_add(number.wrapping_mul(0x2545_f491_4f6c_dd1d)))
}

/// Makes a world and previews its batch.
async fn find(client: &Client, world: &World) -> Option<Found> {
    let customer = settle(client, world).await;
    let before = customer.lists().await;
    let state = before.state();
    let order = world.order(&state);
    if order.steps.is_empty() {
        return None;
    }
    let request = world.request(&customer, &order);
    let preview = see(customer.client.preview(request)).await;
    Some(Found {
        customer,
        before,
        state,
        order,
        preview,
    })
}

async fn try_world(client: &Client, world: &World, random: &mut Random) -> Result<(), String> {
    let Some(found) = find(client, world).await else {
        return Ok(());
    };
    found.state.check_counts()?;
    let (state, order) = (&found.state, &found.order);
    check(state, order, &found.preview, Oracle { without: None })?;
    tokens::check(&found, world, random).await?;
    // Each is a world of its own, which is enough to try some.
    match random.below(4) {
        0 => afterwards::check(&found.customer, world, &found.order, random).await,
        _ => Ok(()),
    }
}

/// Holds what a batch came to, or its preview, against the model.
fn check(
    state: &State,
    order: &Order,
    seen: &Result<Seen, Error>,
    oracle: Oracle,
) -> Result<(), String> {
    match seen {
        Err(error) => {
            let (expected, _) = oracle.foretell(state, order, &in_order(order));
            let short = short(&expected);
            let is_refused = order.refuse_if_short && !short.is_empty();
            let is_right = error.reason == ErrorReason::SeatsShort
                && is_refused
                && error.metadata["products"] == short.len().to_string();
            match is_right {
                true => Ok(()),
                false => Err(format!(
                    "refused with {error} {:?}, the model finds {short:?} short",
                    error.metadata
                )),
            }
        }
        Ok(seen) => {
            check_served(state, order, &seen.served)?;
            let (expected, _) = oracle.foretell(state, order, &seen.served);
            let is_refused = order.refuse_if_short && !short(&expected).is_empty();
            if is_refused {
                return Err("not refused although seats are short".to_owned());
            }
            compare("the batch", &seen.outcome, &expected)
        }
    }
}

fn in_order(order: &Order) -> Vec<usize> {
    (0..order.steps.len()).collect()
}

/// Users are served in the order of the request, or of their ids where that makes no difference.
fn check_served(state: &State, order: &Order, served: &[usize]) -> Result<(), String> {
    if served == in_order(order) {
        return Ok(());
    }
    let ample = state.licenses.iter().all(|(product, license)| {
        let steps = order.steps.iter();
        let takers = steps
            .filter(|(_, change)| change.given().contains(product))
            .count();
        let free = license.enabled + license.warning - license.assigned;
        takers == 0 || free >= i32::try_from(takers).expect("few")
    });
    match order.mode {
        Mode::StopAfter(_) => Err(format!("stops, served in another order: {served:?}")),
        _ if !ample => Err(format!("served in another order: {served:?}")),
        _ => Ok(()),
    }
}

/// Turns every rule of the model off in turn: some world must tell the difference.
async fn without_any_one_rule_the_model_is_wrong(server: &Harness) {
    server.start().await;
    let client = server.client();
    catalogue::import(&client).await;
    let mut unneeded = Rule::ALL.to_vec();
    for number in 0..600 {
        let world = World::random(&mut random_of(number));
        if let Some(found) = find(&client, &world).await {
            unneeded.retain(|rule| {
                let oracle = Oracle {
                    without: Some(*rule),
                };
                check(&found.state, &found.order, &found.preview, oracle).is_ok()
            });
        }
        if unneeded.is_empty() {
            return;
        }
    }
    panic!("no world needs {unneeded:?}");
}

on_every_engine![every_world_is_as_the_model_says,];

mod rules {
    use super::without_any_one_rule_the_model_is_wrong;
    crate::harness::on_sqlite![without_any_one_rule_the_model_is_wrong,];
}
