//! A preview is what the run would be, and leaves no trace.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::batch::State;
use seatwise_client::v1::{BatchResult, BatchSummary, Change, ExecuteBatchRequest};

use super::{all_counts, atomic, best_effort, refuse_if_short, stop_after, with};
use crate::customer::{Customer, Outcome, read};
use crate::fixtures::product::{NOTES, SUITE, VIDEO};
use crate::fixtures::{assign, assign_plans, only, plan, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::selections::{everybody, select};

/// More than one chunk (64 users, then 500).
const USERS: usize = 150;

/// Every other user holds VIDEO, 10 and 20 are given nothing new, and NOTES is short.
async fn crowd(server: &Harness) -> Customer {
    let customer = server.customer_with_users(USERS).await;
    for (product, seats) in [(SUITE, 150), (NOTES, 100), (VIDEO, 150)] {
        customer.set_seats(product, seats).await;
    }
    let even: Vec<_> = user_ids(USERS).into_iter().step_by(2).collect();
    customer.give(&[VIDEO], &even).await;
    customer.unlocate([10, 20]).await;
    customer
}

/// Gives two products, one with a choice of plans, and takes one.
fn mixed() -> Change {
    let mut change = assign_plans(SUITE, only(&[plan::MAIL]));
    change.assign.extend(assign(&[NOTES]).assign);
    change.revoke_product_ids = vec![VIDEO.to_owned()];
    change
}

/// What the run of a request has in common with its preview: all but names and times of its own.
fn shared(outcome: &Outcome) -> (Vec<BatchResult>, BatchSummary) {
    let mut results = outcome.results.clone();
    for result in &mut results {
        result.cursor.clear();
        result.commit_time = None;
    }
    let mut summary = outcome.summary.clone();
    summary.plan_token.clear();
    let batch = summary.batch.as_mut().expect("a summary tells its batch");
    batch.batch_id.clear();
    batch.create_time = None;
    batch.end_time = None;
    (results, summary)
}

/// Previews a request, checks that nothing came of it, runs it, and compares.
async fn assert_as_previewed(customer: &Customer, request: &ExecuteBatchRequest) -> Outcome {
    let before = customer.state().await;
    let preview = customer.preview(request).await;
    assert_eq!(customer.state().await, before, "a preview changes nothing");
    assert_eq!(preview.batch.batch_id, "");
    assert_eq!(preview.batch.state(), State::Ended);
    assert!((1..=128).contains(&preview.summary.plan_token.len()));
    for result in &preview.results {
        assert_eq!((&*result.cursor, result.commit_time), ("", None));
    }
    assert_eq!(customer.preview(request).await.results, preview.results);

    // The same request id: it was not used up.
    let run = customer.outcome(request).await;
    assert!(!run.replayed);
    assert_eq!(run.summary.plan_token, "");
    assert_eq!(shared(&run), shared(&preview));
    run
}

async fn the_run_is_as_previewed_by_best_effort(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = crowd(server).await;
    let mut users: Vec<_> = user_ids(USERS).into_iter().rev().collect();
    users.insert(70, "nobody@example.com".to_owned());
    let request = with(best_effort(), customer.request(mixed(), users));
    let run = assert_as_previewed(&customer, &request).await;
    // 148 can be served and there are 100 seats.
    assert_eq!(all_counts(&run.batch), (100, 0, 51, 0));
    customer.assert_seats(NOTES, 100, 0).await;
    // Afterwards the same words mean something else.
    let again = ExecuteBatchRequest {
        request_id: String::new(),
        ..request
    };
    let again = customer.preview(&again).await;
    assert_eq!(all_counts(&again.batch), (0, 100, 51, 0));
}

async fn the_run_is_as_previewed_up_to_its_stop(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = crowd(server).await;
    let request = with(stop_after(3), customer.request(mixed(), user_ids(USERS)));
    let run = assert_as_previewed(&customer, &request).await;
    // 10 and 20 fail, and the one who is after the hundredth seat.
    assert_eq!(all_counts(&run.batch), (100, 0, 3, 47));
}

async fn the_run_is_as_previewed_in_one_piece(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = crowd(server).await;
    let request = with(atomic(), customer.request(mixed(), user_ids(USERS)));
    let run = assert_as_previewed(&customer, &request).await;
    assert!(run.summary.rolled_back);
    assert_eq!(all_counts(&run.batch), (0, 0, 50, 100));
    customer.assert_seats(NOTES, 0, 100).await;

    let users: Vec<_> = (21..121).map(user_id).collect();
    let request = with(atomic(), customer.request(mixed(), users));
    let run = assert_as_previewed(&customer, &request).await;
    assert!(!run.summary.rolled_back);
    assert_eq!(all_counts(&run.batch), (100, 0, 0, 0));
    customer.assert_seats(NOTES, 100, 0).await;
}

async fn the_run_is_as_previewed_over_a_selection_and_with_own_changes(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = crowd(server).await;
    let own = |number: usize| {
        let change = [mixed(), assign(&[VIDEO]), assign(&[NOTES])][number % 3].clone();
        (user_id(number), change)
    };
    let request = customer.own_changes((0..80).map(own));
    assert_as_previewed(&customer, &request).await;
    let everybody = select(vec![everybody()], vec![]);
    let request = customer.over(mixed(), everybody);
    let run = assert_as_previewed(&customer, &request).await;
    assert_eq!(run.batch.user_count(), USERS as i32);
}

async fn a_preview_is_refused_as_the_run_would_be(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = crowd(server).await;
    let before = customer.state().await;
    let request = customer.request(mixed(), user_ids(USERS));
    let request = with(refuse_if_short(), request);
    let preview = read(customer.client.preview(request.clone())).await;
    let run = read(customer.client.batch(request)).await;
    for error in [preview, run].map(|outcome| outcome.expect_err("48 are missing")) {
        assert_eq!(error.reason, ErrorReason::SeatsShort, "{error:?}");
        let missing = error.metadata.get("missing").map(String::as_str);
        assert_eq!(missing, Some("48"));
        assert_eq!(error.metadata["product"], "Notes", "{error:?}");
    }
    assert_eq!(customer.state().await, before);

    // By id and by name: only the server can tell that it is the same user.
    let twice = [user_id(1), user_id(2), "USER1@example.com".to_owned()];
    let own = twice.clone().map(|user| (user, assign(&[NOTES])));
    for (request, place) in [
        (
            customer.request(assign(&[NOTES]), twice.to_vec()),
            "users[2]",
        ),
        (customer.own_changes(own), "user_changes[2].user"),
    ] {
        let preview = read(customer.client.preview(request.clone())).await;
        let run = read(customer.client.batch(request)).await;
        for error in [preview, run].map(|outcome| outcome.expect_err("a user twice")) {
            assert_eq!(error.reason, ErrorReason::DuplicateUser, "{error:?}");
            assert_eq!(error.metadata["field"], place);
        }
    }
    assert_eq!(customer.state().await, before);
}

on_every_engine![
    the_run_is_as_previewed_by_best_effort,
    the_run_is_as_previewed_up_to_its_stop,
    the_run_is_as_previewed_in_one_piece,
    the_run_is_as_previewed_over_a_selection_and_with_own_changes,
    a_preview_is_refused_as_the_run_would_be,
];
