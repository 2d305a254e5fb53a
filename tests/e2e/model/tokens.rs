//! What comes after a preview: the shortage that it told, and what its plan token holds.

use seatwise_client::v1::{ErrorReason, ExecuteBatchRequest, ImportedUser, user};

use super::Found;
use super::catalogue::Product;
use super::oracle::{Oracle, State};
use super::order::{Change, Mode, Order};
use super::run::{Seen, another, compare, exhausted, see, short};
use super::world::{Numbers, World, below, numbers_of};
use crate::customer::Customer;
use crate::fixtures::{Random, user_id};

const ORACLE: Oracle = Oracle { without: None };

/// Something that happens between a preview and its run.
#[derive(Debug, Clone)]
enum Event {
    Location(usize, &'static str),
    Active(usize, bool),
    Name(usize),
    /// A user comes who is not in the batch.
    NewUser,
    Seats(Product, Numbers),
    Taken(usize, Product),
}

pub(crate) async fn check(found: &Found, world: &World, random: &mut Random) -> Result<(), String> {
    let Found {
        customer,
        state,
        order,
        preview,
        ..
    } = found;
    let request = world.request(customer, order);
    let before = customer.lists().await;
    if before != found.before {
        return Err("the preview changed something".to_owned());
    }
    let before = match check_shortage(found, &request, random).await? {
        true => customer.lists().await,
        false => before,
    };
    let Ok(preview) = preview else {
        let run = see(customer.client.batch(request)).await;
        let reason = run.err().map(|error| error.reason);
        return match reason == Some(ErrorReason::SeatsShort) && customer.lists().await == before {
            true => Ok(()),
            false => Err(format!("the run of a short batch: {reason:?}")),
        };
    };
    let mut request = request;
    request.plan_token.clone_from(&preview.summary.plan_token);
    if random.below(4) == 0 {
        let run = see(customer.client.batch(another(&request))).await;
        let reason = run.err().map(|error| error.reason);
        if reason != Some(ErrorReason::PlanMismatch) || customer.lists().await != before {
            return Err(format!("the token of another request: {reason:?}"));
        }
    }
    let expected = &preview.outcome;
    let wants_relevant = random.below(2) == 0;
    let event = choose(found, world, preview, wants_relevant, random);
    let now = match &event {
        Some(event) => {
            event.happen(customer, state).await;
            customer.lists().await
        }
        None => before,
    };
    let run = see(customer.client.batch(request.clone())).await;
    if wants_relevant && event.is_some() {
        let reason = run.as_ref().err().map(|error| error.reason);
        if reason != Some(ErrorReason::PlanStale) || customer.lists().await != now {
            return Err(format!("stale after {event:?}: {reason:?}"));
        }
        return Ok(());
    }
    let run = run.map_err(|error| format!("the run after {event:?}: {error}"))?;
    if event.is_none() && run.results != preview.results {
        return Err(format!(
            "the run differs from the preview: {:?}",
            run.results
        ));
    }
    if event.is_none() {
        compare("the run after the preview", &run.outcome, expected)?;
    }
    check_end(customer, &now.state(), order, &run).await
}

/// The run did to what was so before it what the rules say.
async fn check_end(
    customer: &Customer,
    state: &State,
    order: &Order,
    run: &Seen,
) -> Result<(), String> {
    let (expected, after) = ORACLE.foretell(state, order, &run.served);
    compare("the run", &run.outcome, &expected)?;
    let left = customer.lists().await.state();
    left.check_counts()?;
    match left == after {
        true => Ok(()),
        false => Err(format!(
            "after the run\n  seen     {left:?}\n  expected {after:?}"
        )),
    }
}

/// Something that changes what some user is told, or that cannot; if one is drawn.
fn choose(
    found: &Found,
    world: &World,
    preview: &Seen,
    wants_relevant: bool,
    random: &mut Random,
) -> Option<Event> {
    let Found { state, order, .. } = found;
    let is_relevant = |event: &Event| {
        let (foretold, _) = ORACLE.foretell(&event.after(state), order, &preview.served);
        foretold.verdicts != preview.outcome.verdicts
    };
    let fitting = |event: &Event| match wants_relevant {
        true => is_relevant(event),
        false => event.is_irrelevant(state, order, world) && !is_relevant(event),
    };
    let events: Vec<_> = (0..12).map(|_| Event::random(random, state)).collect();
    events.into_iter().find(fitting)
}

/// Seats that were said to be missing are enough, and one less is not. True if there were any; then
/// they are set as they were, but at another time.
async fn check_shortage(
    found: &Found,
    request: &ExecuteBatchRequest,
    random: &mut Random,
) -> Result<bool, String> {
    let Found {
        customer,
        state,
        order,
        ..
    } = found;
    let served: Vec<_> = (0..order.steps.len()).collect();
    let (expected, _) = ORACLE.foretell(state, order, &served);
    let short: Vec<_> = short(&expected).into_iter().collect();
    if short.is_empty() {
        return Ok(false);
    }
    let add = async |product: Product, seats: i32| {
        let (enabled, warning, suspended) = numbers_of(state)[&product];
        let numbers = (enabled + seats, warning, suspended);
        customer.set_numbers(product, numbers).await;
    };
    for (product, missing) in &short {
        add(*product, *missing).await;
    }
    let enough = see(customer.client.preview(request.clone())).await;
    let lacking = match enough {
        Ok(enough) => exhausted(&enough.outcome),
        Err(error) if error.reason == ErrorReason::SeatsShort => [usize::MAX].into(),
        Err(error) => return Err(format!("with {short:?} more: {error}")),
    };
    // Others have their turn now if the batch had stopped, and may lack more.
    if !lacking.is_empty() && !matches!(order.mode, Mode::StopAfter(_)) {
        return Err(format!("with {short:?} more {lacking:?} lack seats"));
    }
    let (product, missing) = short[below(random, short.len())];
    add(product, missing - 1).await;
    let less = see(customer.client.preview(request.clone())).await;
    let lacks = match &less {
        Ok(less) => !order.refuse_if_short && exhausted(&less.outcome).contains(&product),
        Err(error) => order.refuse_if_short && error.reason == ErrorReason::SeatsShort,
    };
    if !lacks {
        return Err(format!(
            "with one less of {product} than {short:?}: {less:?}"
        ));
    }
    for (product, _) in &short {
        add(*product, 0).await;
    }
    Ok(true)
}

impl Event {
    fn random(random: &mut Random, state: &State) -> Self {
        let people: Vec<_> = state.people.keys().copied().collect();
        let user = people[below(random, people.len())];
        let licenses: Vec<_> = state.licenses.iter().collect();
        let has = &state.people[&user];
        match random.below(8) {
            0 => Self::Location(user, ["NL", "US", "BE", ""][below(random, 4)]),
            1 => Self::Active(user, !has.active),
            2 => Self::Name(user),
            3 => Self::NewUser,
            4 if !has.held.is_empty() => {
                let held: Vec<_> = has.held.keys().copied().collect();
                Self::Taken(user, held[below(random, held.len())])
            }
            _ if licenses.is_empty() => Self::NewUser,
            _ => {
                let (product, license) = licenses[below(random, licenses.len())];
                let by = i32::try_from(random.below(4)).expect("small") - 1;
                let enabled = (license.enabled + by).max(0);
                Self::Seats(*product, (enabled, license.warning, license.suspended))
            }
        }
    }

    /// The state that it leads to.
    fn after(&self, state: &State) -> State {
        let mut after = state.clone();
        match self {
            Self::Location(user, location) => {
                let person = after.people.get_mut(user).expect("a user");
                (*location).clone_into(&mut person.location);
            }
            Self::Active(user, active) => {
                after.people.get_mut(user).expect("a user").active = *active;
            }
            Self::Name(_) | Self::NewUser => {}
            Self::Seats(product, (enabled, warning, suspended)) => {
                let license = after.licenses.get_mut(product).expect("a license");
                (license.enabled, license.warning) = (*enabled, *warning);
                license.suspended = *suspended;
            }
            Self::Taken(user, product) => {
                let order = Order {
                    steps: taken(*user, *product),
                    mode: Mode::BestEffort,
                    refuse_if_short: false,
                };
                (_, after) = ORACLE.foretell(state, &order, &[0]);
            }
        }
        after
    }

    /// Whether it is nothing to the batch by any reading.
    fn is_irrelevant(&self, state: &State, order: &Order, world: &World) -> bool {
        let is_in = |user: &usize| order.steps.iter().any(|(other, _)| other == user);
        match self {
            Self::Name(_) | Self::NewUser => !world.is_selected(),
            Self::Location(user, _) | Self::Active(user, _) => !world.is_selected() && !is_in(user),
            Self::Taken(user, product) => {
                !world.is_selected() && !is_in(user) && !order.named().contains(product)
            }
            Self::Seats(product, (enabled, ..)) => {
                let license = &state.licenses[product];
                let more = *enabled > license.enabled && license.suspended == 0;
                more || !order.named().contains(product)
            }
        }
    }

    async fn happen(&self, customer: &Customer, found: &State) {
        let import = async |user: ImportedUser| customer.import(vec![user]).await;
        match self {
            Self::Location(user, location) => {
                if found.people[user].location == *location {
                    return;
                }
                import(ImportedUser {
                    user_id: user_id(*user),
                    usage_location: Some((*location).to_owned()),
                    ..ImportedUser::default()
                })
                .await;
            }
            Self::Active(user, active) => {
                let state = match active {
                    true => user::State::Active,
                    false => user::State::Inactive,
                };
                import(ImportedUser {
                    user_id: user_id(*user),
                    state: state.into(),
                    ..ImportedUser::default()
                })
                .await;
            }
            Self::Name(user) => {
                import(ImportedUser {
                    user_id: user_id(*user),
                    display_name: Some("Renamed".to_owned()),
                    ..ImportedUser::default()
                })
                .await;
            }
            Self::NewUser => customer.add_users([80]).await,
            Self::Seats(product, numbers) => customer.set_numbers(*product, *numbers).await,
            Self::Taken(user, product) => customer.carry_out(&taken(*user, *product)).await,
        }
    }
}

fn taken(user: usize, product: Product) -> Vec<(usize, Change)> {
    let change = Change {
        revoke: vec![product],
        ..Change::default()
    };
    vec![(user, change)]
}
