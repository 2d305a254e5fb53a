//! The steps of the demo. Each says what it expects, and stops the demo if it is not so.

use std::time::{Duration, Instant};

use seatwise_client::v1::{self, ReasonCode};
use seatwise_client::{BatchOutcome, Client, UserResult};
use uuid::Uuid;

use super::company::{self, OFFICE_E1, OFFICE_E3, PROJECT, Person, SWAY, VISIO};
use super::report::Report;
use crate::error::Error;

/// Users who are offered a product that excludes one that they hold.
const EXCLUDED: usize = 20;

/// Where the demo left things, for commands to copy.
pub(super) struct Place {
    pub(super) customer_id: String,
    pub(super) user: String,
    pub(super) batch_id: String,
}

pub(super) async fn run(client: &Client, report: &Report, users: usize) -> Result<Place, Error> {
    let started = Instant::now();
    import_catalogue(client, report).await?;
    let tag = Uuid::new_v4().simple().to_string()[..8].to_owned();
    let customer = found(client, report, users, &tag).await?;
    let names: Vec<String> = (0..users)
        .map(|index| company::principal_name(index, &tag))
        .collect();

    report.seats("Seats before", &licenses(client, &customer).await?)?;
    let first = assign(client, report, &customer, &names).await?;
    let second = swap_request(&customer, &names);
    let mixed = swap(client, report, &second).await?;
    repeat(client, report, second, &mixed).await?;
    let after = licenses(client, &customer).await?;
    report.seats("Seats after", &after)?;
    check_seats(&after, &first, &mixed)?;
    report.total(users, started.elapsed())?;
    let (user, batch_id) = (names[0].clone(), mixed.batch.batch_id);
    Ok(Place {
        customer_id: customer,
        user,
        batch_id,
    })
}

/// Imports the small catalogue, unless there is one that has its products.
async fn import_catalogue(client: &Client, report: &Report) -> Result<(), Error> {
    let request = v1::ListProductsRequest {
        page_size: 1,
        ..Default::default()
    };
    if client.list_products(request).await?.products.is_empty() {
        let started = Instant::now();
        let catalogue = client.import_catalogue(company::CATALOGUE).await?;
        let rules = client.import_rules(company::RULES).await?;
        let count = |count: Option<i32>| count.unwrap_or(0);
        let counts = (
            count(catalogue.summary.product_count),
            count(catalogue.summary.product_plan_count),
            count(rules.summary.rule_count),
        );
        report.catalogue(counts, started.elapsed())?;
    }
    for product in [OFFICE_E3, VISIO, PROJECT, OFFICE_E1] {
        let request = v1::GetProductRequest {
            product_id: product.to_owned(),
        };
        client.get_product(request).await.map_err(|error| {
            let text =
                "this database has a catalogue without the demo's products; use an empty one";
            Error::Failed(format!("{text} ({error})"))
        })?;
    }
    Ok(())
}

/// Creates the customer with its users and licenses.
async fn found(client: &Client, report: &Report, users: usize, tag: &str) -> Result<String, Error> {
    let started = Instant::now();
    let display_name = format!("Example Company {tag}");
    let request = v1::CreateCustomerRequest {
        customer_id: String::new(),
        display_name,
        comment: String::new(),
    };
    let customer = client.create_customer(request).await?.customer_id;
    let people = (0..users).map(|index| company::user(index, tag)).collect();
    let outcomes = client.import_users(&customer, people).await?;
    let created = v1::import_outcome::Kind::Created;
    expect(
        "users created",
        users,
        outcomes.iter().filter(|o| o.kind() == created).count(),
    )?;
    for (product, seats) in company::seats(users) {
        let request = v1::SetSeatsRequest {
            customer_id: customer.clone(),
            product_id: product.to_owned(),
            enabled: i32::try_from(seats).ok(),
            ..Default::default()
        };
        client.set_seats(request).await?;
    }
    report.customer(&customer, users, started.elapsed())?;
    Ok(customer)
}

/// Everybody gets Office without Sway and Visio, of which there is too little.
async fn assign(
    client: &Client,
    report: &Report,
    customer: &str,
    names: &[String],
) -> Result<BatchOutcome, Error> {
    let without_sway = v1::PlanEdit {
        edit: Some(v1::plan_edit::Edit::AllExcept(v1::PlanSet {
            plan_ids: vec![SWAY.to_owned()],
        })),
    };
    let request = v1::ExecuteBatchRequest {
        customer_id: customer.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        change: Some(v1::Change {
            assign: vec![product(OFFICE_E3, Some(without_sway)), product(VISIO, None)],
            revoke_product_ids: Vec::new(),
            ..Default::default()
        }),
        users: names.to_vec(),
        user_changes: Vec::new(),
        ..Default::default()
    };
    let title = "Assign Office 365 E3 (Sway switched off) and Visio Plan 2 to everybody";
    let (outcome, took) = execute(client, report, title, request).await?;
    report.batch("assign", title, &outcome, took)?;

    let able = (0..names.len())
        .filter(|index| Person::of(*index).can_receive())
        .count();
    let seats = names.len() * 8 / 10;
    expect(
        "users with both products",
        able.min(seats),
        outcome.succeeded.len(),
    )?;
    expect(
        "results",
        names.len(),
        outcome.succeeded.len() + outcome.failed.len(),
    )?;
    expect(
        "users without a seat",
        able.saturating_sub(seats),
        with_only(&outcome, &[ReasonCode::SeatsExhausted]),
    )?;
    let sway_off = outcome.succeeded.iter().filter(|result| {
        let office = result.held.iter().find(|held| held.product_id == OFFICE_E3);
        office.is_some_and(|office| office.plans.is_some())
    });
    expect(
        "users without Sway",
        outcome.succeeded.len(),
        sway_off.count(),
    )?;
    Ok(outcome)
}

/// A quarter changes Visio for Project in one step; a few are offered what they cannot hold.
fn swap_request(customer: &str, names: &[String]) -> v1::ExecuteBatchRequest {
    let quarter = names.len() / 4;
    let user_changes = names[..quarter + EXCLUDED]
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let change = if index < quarter {
                v1::Change {
                    assign: vec![product(PROJECT, None)],
                    revoke_product_ids: vec![VISIO.to_owned()],
                    ..Default::default()
                }
            } else {
                v1::Change {
                    assign: vec![product(OFFICE_E1, None)],
                    revoke_product_ids: Vec::new(),
                    ..Default::default()
                }
            };
            v1::UserChange {
                user: name.clone(),
                change: Some(change),
            }
        });
    v1::ExecuteBatchRequest {
        customer_id: customer.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        change: None,
        users: Vec::new(),
        user_changes: user_changes.collect(),
        ..Default::default()
    }
}

async fn swap(
    client: &Client,
    report: &Report,
    request: &v1::ExecuteBatchRequest,
) -> Result<BatchOutcome, Error> {
    let quarter = request.user_changes.len() - EXCLUDED;
    let title = "A quarter swaps Visio Plan 2 for Planner and Project Plan 3; 20 more are offered \
                 Office 365 E1";
    let (outcome, took) = execute(client, report, title, request.clone()).await?;
    report.batch("swap", title, &outcome, took)?;

    let able = |range: std::ops::Range<usize>| {
        range
            .filter(|index| Person::of(*index).can_receive())
            .count()
    };
    expect(
        "users who swapped",
        able(0..quarter),
        outcome.succeeded.len(),
    )?;
    let swapped = outcome.succeeded.iter().filter(|result| {
        result.assigned_product_ids == [PROJECT] && result.revoked_product_ids == [VISIO]
    });
    expect(
        "users with Project instead of Visio",
        outcome.succeeded.len(),
        swapped.count(),
    )?;
    let excluded = with_only(&outcome, &[ReasonCode::MutuallyExclusivePlans]);
    expect(
        "users who cannot hold both",
        able(quarter..quarter + EXCLUDED),
        excluded,
    )?;
    Ok(outcome)
}

/// The same request again executes nothing and gives the same bytes.
async fn repeat(
    client: &Client,
    report: &Report,
    request: v1::ExecuteBatchRequest,
    before: &BatchOutcome,
) -> Result<(), Error> {
    let title = "The same request again, under the same request id";
    let (outcome, took) = execute(client, report, title, request).await?;
    report.batch("repeat", title, &outcome, took)?;
    expect("replays", 1, usize::from(outcome.replayed))?;
    let same = outcome.succeeded == before.succeeded && outcome.failed == before.failed;
    expect("identical answers", 1, usize::from(same))?;
    let same = outcome.batch.batch_id == before.batch.batch_id;
    expect("batches executed", 1, usize::from(same))
}

async fn execute(
    client: &Client,
    report: &Report,
    title: &str,
    request: v1::ExecuteBatchRequest,
) -> Result<(BatchOutcome, Duration), Error> {
    let users = request.users.len() + request.user_changes.len();
    let started = Instant::now();
    let bar = report.progress(title, users)?;
    let outcome = client.batch(request).collect_with(|_| bar.inc(1)).await?;
    bar.finish_and_clear();
    Ok((outcome, started.elapsed()))
}

fn product(id: &str, plans: Option<v1::PlanEdit>) -> v1::ProductAssignment {
    v1::ProductAssignment {
        product_id: id.to_owned(),
        plans,
    }
}

async fn licenses(client: &Client, customer: &str) -> Result<Vec<v1::License>, Error> {
    let request = v1::ListLicensesRequest {
        customer_id: customer.to_owned(),
        ..Default::default()
    };
    Ok(client.list_licenses(request).await?.licenses)
}

/// The seat counts must follow from the results.
fn check_seats(
    licenses: &[v1::License],
    first: &BatchOutcome,
    mixed: &BatchOutcome,
) -> Result<(), Error> {
    let results = || first.succeeded.iter().chain(&mixed.succeeded);
    for license in licenses {
        let id = &license.product_id;
        let gained = results()
            .filter(|result| result.assigned_product_ids.contains(id))
            .count();
        let lost = results()
            .filter(|result| result.revoked_product_ids.contains(id))
            .count();
        let assigned = usize::try_from(license.assigned()).unwrap_or(usize::MAX);
        expect(
            &format!("seats of {}", license.display_name),
            gained - lost,
            assigned,
        )?;
    }
    Ok(())
}

/// Failed users who have these reasons and no others.
fn with_only(outcome: &BatchOutcome, codes: &[ReasonCode]) -> usize {
    let only = |result: &&UserResult| {
        let found: Vec<ReasonCode> = result.reasons.iter().map(v1::Reason::code).collect();
        found == codes
    };
    outcome.failed.iter().filter(only).count()
}

fn expect(what: &str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "demo: expected {expected} {what}, found {found}"
    )))
}
