//! A request id is executed once: the same request again gets the same bytes, another one is refused.

use std::sync::Arc;

use seatwise_client::v1::{DeleteUserRequest, ErrorReason, ExecuteBatchRequest, UserChange};
use seatwise_client::{Code, Error};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::customer::{Customer, Outcome, read};
use crate::fixtures::plan::CHAT;
use crate::fixtures::product::{NOTES, SUITE, VIDEO};
use crate::fixtures::{
    CATALOGUE, all_except, assign, assign_plans, only, revoke, user_id, user_ids,
};
use crate::harness::{Harness, on_every_engine};
use crate::raw;

async fn the_same_request_again_gets_the_same_bytes(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let request = mixed_request(&customer);
    let first = customer.execute(request.clone()).await;
    assert!(!first.replayed);
    assert_eq!(first.counts(), (300, 0, 401), "successes and failures");
    let again = customer.execute(request).await;
    assert_replayed(&first, &again);
    assert_eq!(customer.batches().await.len(), 1);
    customer.assert_seats(NOTES, 300, 0).await;
}

async fn sixteen_at_once_execute_once_and_get_the_same_bytes(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let request = mixed_request(&customer);
    let start = Arc::new(Barrier::new(16));
    let mut calls = JoinSet::new();
    for _ in 0..16 {
        let client = server.another_client();
        let (start, request) = (start.clone(), request.clone());
        calls.spawn(async move {
            start.wait().await;
            let outcome = read(client.batch(request)).await;
            outcome.expect("the batch is accepted and ends")
        });
    }
    let outcomes = calls.join_all().await;
    let firsts: Vec<_> = outcomes.iter().filter(|o| !o.replayed).collect();
    assert_eq!(firsts.len(), 1, "one call has executed it");
    for outcome in &outcomes {
        assert_eq!(outcome.bytes(), firsts[0].bytes());
        assert_eq!(outcome.batch, firsts[0].batch);
    }
    assert_eq!(customer.batches().await.len(), 1);
    customer.assert_seats(NOTES, 300, 0).await;
}

async fn after_a_restart_the_same_request_gets_the_same_bytes(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let request = mixed_request(&customer);
    let first = customer.execute(request.clone()).await;
    server.restart().await;
    let again = customer.execute(request).await;
    assert_replayed(&first, &again);
    assert_eq!(customer.batches().await.len(), 1);
}

async fn another_request_under_the_id_is_refused_without_effect(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let request = customer.request(assign(&[NOTES]), user_ids(3));
    let first = customer.execute(request.clone()).await;
    let before = customer.assignments().await;

    let others = [
        // More users, fewer, others, in another order, by another name.
        with_users(&request, user_ids(4)),
        with_users(&request, user_ids(2)),
        with_users(&request, vec![user_id(0), user_id(1), user_id(3)]),
        with_users(&request, user_ids(3).into_iter().rev().collect()),
        with_users(
            &request,
            vec![user_id(0), user_id(1), "user2@example.com".to_owned()],
        ),
        // Another change.
        with_change(&request, assign(&[VIDEO])),
        with_change(&request, assign(&[NOTES, VIDEO])),
        with_change(&request, revoke(&[NOTES])),
        with_change(&request, assign_plans(NOTES, all_except(&[]))),
    ];
    for other in others {
        let error = refusal(&customer, other.clone()).await;
        assert_eq!(error.code, Code::AlreadyExists, "{other:?}");
        assert_eq!(error.reason, ErrorReason::RequestIdReused, "{other:?}");
        assert_eq!(error.metadata["requestId"], request.request_id);
    }
    assert_eq!(customer.assignments().await, before);
    assert_eq!(customer.batches().await, std::slice::from_ref(&first.batch));
    assert_replayed(&first, &customer.execute(request).await);
}

async fn the_form_of_a_request_makes_no_difference(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let plans = only(&[CHAT]);
    let request = customer.request(assign_plans(SUITE, plans), user_ids(700));
    let first = customer.execute(request.clone()).await;

    // In capitals, as one change per user, and in several messages.
    let upper = ExecuteBatchRequest {
        customer_id: request.customer_id.to_uppercase(),
        request_id: request.request_id.to_uppercase(),
        users: request
            .users
            .iter()
            .map(|user| user.to_uppercase())
            .collect(),
        change: Some(assign_plans(
            &SUITE.to_uppercase(),
            only(&[&CHAT.to_uppercase()]),
        )),
        ..request.clone()
    };
    assert_replayed(&first, &customer.execute(upper).await);
    let own = |user: &String| UserChange {
        user: user.clone(),
        change: request.change.clone(),
    };
    let user_changes = request.users.iter().map(own).collect();
    let own = ExecuteBatchRequest {
        change: None,
        users: Vec::new(),
        user_changes,
        ..request.clone()
    };
    assert_replayed(&first, &customer.execute(own.clone()).await);
    for request in [request, own] {
        let large = raw::execute_large(server, raw::parts(request, 100)).await;
        let large = large.expect("it attaches to the batch");
        assert!(large.replayed);
        assert_eq!(large.bytes(), first.bytes());
        assert_eq!(large.batch, first.batch);
    }
    assert_eq!(customer.batches().await.len(), 1);
}

async fn a_late_replay_tells_what_was_and_changes_nothing(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let request = customer.request(assign(&[NOTES]), user_ids(3));
    let first = customer.execute(request.clone()).await;

    // The world moves on: revoked, renamed, deleted, and others took the seats.
    customer.revoke(&[NOTES], &user_ids(3)).await;
    let mut user = crate::customer::imported_user(0);
    user.display_name = Some("Somebody else".to_owned());
    customer.import(vec![user]).await;
    let delete = DeleteUserRequest {
        customer_id: customer.id.clone(),
        user: user_id(1),
        etag: String::new(),
        comment: String::new(),
    };
    let deleted = customer.client.delete_user(delete).await;
    deleted.expect("the user is deleted");
    customer.set_seats(NOTES, 0).await;

    assert_replayed(&first, &customer.execute(request).await);
    customer.assert_seats(NOTES, 0, 0).await;
}

async fn a_replay_does_not_depend_on_todays_catalogue(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let request = customer.request(assign_plans(SUITE, only(&[CHAT])), user_ids(3));
    let first = customer.execute(request.clone()).await;

    // The next edition has neither the plan nor another product.
    let edition: Vec<_> = CATALOGUE
        .lines()
        .filter(|line| !line.contains(",CHAT,") && !line.contains(",VIDEO,"))
        .collect();
    let edition = edition.join("\n");
    let report = customer.client.import_catalogue(edition.as_bytes()).await;
    let report = report.expect("the edition is good");
    assert_eq!(report.summary.removed_count(), 2);
    assert_replayed(&first, &customer.execute(request).await);
}

async fn request_ids_of_two_customers_never_meet(server: &Harness) {
    let one = customer_with_few_seats(server).await;
    let other = server.customer_with_users(2).await;
    other.set_seats(NOTES, 2).await;
    let request = one.request(assign(&[NOTES]), user_ids(2));
    let theirs = ExecuteBatchRequest {
        customer_id: other.id.clone(),
        ..request.clone()
    };
    let first = one.execute(request).await;
    let second = other.execute(theirs).await;
    assert!(!second.replayed);
    assert_ne!(first.batch.batch_id, second.batch.batch_id);
    other.assert_seats(NOTES, 2, 0).await;
}

async fn a_refused_request_does_not_use_its_id_up(server: &Harness) {
    let customer = customer_with_few_seats(server).await;
    let good = customer.request(assign(&[NOTES]), user_ids(2));
    let bad = with_users(&good, vec![user_id(0), "user0@example.com".to_owned()]);
    let error = refusal(&customer, bad).await;
    assert_eq!(error.reason, ErrorReason::DuplicateUser);
    let outcome = customer.execute(good).await;
    assert!(!outcome.replayed);
    assert_eq!(outcome.counts(), (2, 0, 0));
}

/// 700 users; 300 seats of NOTES, enough of the others.
async fn customer_with_few_seats(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(700).await;
    customer.set_seats(NOTES, 300).await;
    customer.set_seats(SUITE, 700).await;
    customer.set_seats(VIDEO, 700).await;
    customer
}

/// NOTES for everybody and one who does not exist: several chunks, and failures of two kinds.
fn mixed_request(customer: &Customer) -> ExecuteBatchRequest {
    let mut users = user_ids(700);
    users.push("nobody@example.com".to_owned());
    customer.request(assign(&[NOTES]), users)
}

fn with_users(request: &ExecuteBatchRequest, users: Vec<String>) -> ExecuteBatchRequest {
    ExecuteBatchRequest {
        users,
        ..request.clone()
    }
}

fn with_change(
    request: &ExecuteBatchRequest,
    change: seatwise_client::v1::Change,
) -> ExecuteBatchRequest {
    ExecuteBatchRequest {
        change: Some(change),
        ..request.clone()
    }
}

async fn refusal(customer: &Customer, request: ExecuteBatchRequest) -> Error {
    let outcome = read(customer.client.batch(request)).await;
    outcome.expect_err("the request is refused")
}

fn assert_replayed(first: &Outcome, again: &Outcome) {
    assert!(again.replayed, "nothing was executed again");
    assert_eq!(again.bytes(), first.bytes());
    assert_eq!(again.batch, first.batch);
}

on_every_engine![
    the_same_request_again_gets_the_same_bytes,
    sixteen_at_once_execute_once_and_get_the_same_bytes,
    after_a_restart_the_same_request_gets_the_same_bytes,
    another_request_under_the_id_is_refused_without_effect,
    the_form_of_a_request_makes_no_difference,
    a_late_replay_tells_what_was_and_changes_nothing,
    a_replay_does_not_depend_on_todays_catalogue,
    request_ids_of_two_customers_never_meet,
    a_refused_request_does_not_use_its_id_up,
];
