//! A batch is tried again for those whom it has refused, once what stood against them is gone.

use seatwise_client::v1::ReasonCode::{
    self, BatchRolledBack, DependentPlanRemains, LicenseSuspended, MutuallyExclusivePlans,
    PrerequisiteMissing, ProductNotForUsers, ProductNotLicensed, SeatsExhausted,
    StoppedAfterFailures, UsageLocationMissing, UsageLocationProhibited, UserInactive,
    UserNotFound,
};
use seatwise_client::v1::{
    BatchOptions, Change, ExecuteBatchRequest, ImportedUser, RetryBatchRequest, SetSeatsRequest,
    UpdateProductRequest, batch_options::Mode, product::AppliesTo, user::State,
};

use crate::customer::{Customer, Outcome, assert_applied, codes_of, imported_user};
use crate::fixtures::product::{BACKUP, DIAL, MAILBOX, NOTES, PHONE, SUITE, VIDEO, VOICE};
use crate::fixtures::{assign, change, revoke, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::reasons::located;

/// A customer with seats of everything but VIDEO and NOTES, all of whose NOTES are suspended.
async fn customer_with_trouble(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(10).await;
    for product in [SUITE, MAILBOX, PHONE, VOICE, DIAL, BACKUP] {
        customer.set_seats(product, 10).await;
    }
    suspend(&customer, 0, 5).await;
    customer
}

async fn suspend(customer: &Customer, enabled: i32, suspended: i32) {
    let request = SetSeatsRequest {
        customer_id: customer.id.clone(),
        product_id: NOTES.to_owned(),
        enabled: Some(enabled),
        suspended: Some(suspended),
        ..SetSeatsRequest::default()
    };
    customer
        .client
        .set_seats(request)
        .await
        .expect("seats are set");
}

fn inactive(number: usize) -> ImportedUser {
    ImportedUser {
        state: State::Inactive.into(),
        ..imported_user(number)
    }
}

async fn set_for_users(customer: &Customer, product: &str) {
    let request = UpdateProductRequest {
        product_id: product.to_owned(),
        applies_to: AppliesTo::User.into(),
        ..UpdateProductRequest::default()
    };
    customer
        .client
        .update_product(request)
        .await
        .expect("updated");
}

async fn every_failure_succeeds_once_its_cause_is_gone(server: &Harness) {
    let customer = customer_with_trouble(server).await;
    customer.set_seats(MAILBOX, 1).await;
    customer.give(&[MAILBOX], &[user_id(3)]).await;
    customer.give(&[VOICE, PHONE], &[user_id(4)]).await;
    customer
        .import(vec![located(6, "US"), located(7, ""), inactive(8)])
        .await;
    let turns: [(Change, ReasonCode); 11] = [
        (assign(&[MAILBOX]), SeatsExhausted),
        (assign(&[VIDEO]), ProductNotLicensed),
        (assign(&[NOTES]), LicenseSuspended),
        (assign(&[SUITE]), MutuallyExclusivePlans),
        (revoke(&[VOICE]), DependentPlanRemains),
        (assign(&[PHONE]), PrerequisiteMissing),
        (assign(&[DIAL]), UsageLocationProhibited),
        (assign(&[SUITE]), UsageLocationMissing),
        (assign(&[VOICE]), UserInactive),
        (assign(&[BACKUP]), ProductNotForUsers),
        (change(&[DIAL], &[SUITE]), UserNotFound),
    ];
    let own = turns.iter().enumerate();
    let own = own.map(|(number, (change, _))| (user_id(number), change.clone()));
    let batch = customer.execute(customer.own_changes(own)).await;
    for (result, (_, code)) in batch.by_index().iter().zip(&turns) {
        assert_eq!(codes_of(result), [*code]);
        let is_final = matches!(code, UsageLocationProhibited | ProductNotForUsers);
        assert_eq!(result.retryable, !is_final, "{code:?}");
    }
    let nothing_new = customer
        .show_and_complete(customer.retry(&batch.batch.batch_id))
        .await;
    assert_eq!(codes(&nothing_new), codes(&batch), "the causes are there");

    customer.set_seats(MAILBOX, 2).await;
    customer.set_seats(VIDEO, 1).await;
    suspend(&customer, 1, 4).await;
    customer.revoke(&[MAILBOX], &[user_id(3)]).await;
    customer.revoke(&[PHONE], &[user_id(4)]).await;
    customer.give(&[VOICE], &[user_id(5)]).await;
    let mut active = inactive(8);
    active.state = State::Active.into();
    customer
        .import(vec![located(6, "NL"), located(7, "NL"), active])
        .await;
    customer.add_users([10]).await;
    set_for_users(&customer, BACKUP).await;

    let retry = customer
        .show_and_complete(customer.retry(&batch.batch.batch_id))
        .await;
    retry.results.iter().for_each(assert_applied);
    assert_eq!(retry.results.len(), turns.len());
    assert_eq!(retry.batch.retries_batch_id, batch.batch.batch_id);
    let first = customer.batch(&batch.batch.batch_id).await;
    assert_eq!(
        first.retried_by_batch_id, retry.batch.batch_id,
        "the newest"
    );
    customer.assert_counts().await;
    let none = customer
        .complete(customer.retry(&retry.batch.batch_id))
        .await;
    assert_eq!((none.results.len(), none.batch.user_count()), (0, 0));
    assert_eq!(none.batch.state(), seatwise_client::v1::batch::State::Ended);
}

/// The reasons of every user by its place.
fn codes(outcome: &Outcome) -> Vec<Vec<ReasonCode>> {
    outcome.by_index().iter().map(codes_of).collect()
}

async fn only_those_who_failed_are_tried_in_the_order_of_the_request(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(700).await;
    customer.set_seats(NOTES, 100).await;
    let mut users = user_ids(700);
    users.reverse();
    let batch = customer.request(assign(&[NOTES]), users.clone());
    let batch = customer.execute(batch).await;
    assert_eq!(batch.counts(), (100, 0, 600));

    let mut last = batch.batch.batch_id;
    for (seats, applied, failed) in [(101, 1, 599), (400, 299, 300), (700, 300, 0)] {
        customer.set_seats(NOTES, seats).await;
        let retry = customer.show_and_complete(customer.retry(&last)).await;
        assert_eq!(retry.counts(), (applied, 0, failed));
        let start = 700 - (applied + failed) as usize;
        let ids = retry.by_index().into_iter().map(|result| result.user_id);
        assert!(
            ids.eq(users[start..].iter().cloned()),
            "in the order of the first request"
        );
        let given = retry.by_index().into_iter().take(applied as usize);
        given.for_each(|result| assert_applied(&result));
        last = retry.batch.batch_id;
    }
    customer.assert_seats(NOTES, 700, 0).await;
}

async fn the_options_are_those_of_the_batch_unless_others_are_given(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(10).await;
    customer.set_seats(NOTES, 9).await;
    let atomic = BatchOptions {
        mode: Mode::Atomic.into(),
        ..BatchOptions::default()
    };
    let request = ExecuteBatchRequest {
        options: Some(atomic),
        ..customer.request(assign(&[NOTES]), user_ids(10))
    };
    let batch = customer.complete(request).await;
    assert!(batch.summary.rolled_back);
    let rolled_back = |outcome: &Outcome| {
        let codes = codes(outcome);
        let count = |code| codes.iter().filter(|codes| **codes == [code]).count();
        (count(SeatsExhausted), count(BatchRolledBack))
    };
    assert_eq!(rolled_back(&batch), (1, 9));
    assert!(batch.results.iter().all(|result| result.retryable));

    let all = |options| RetryBatchRequest {
        include_skipped: true,
        options,
        ..customer.retry(&batch.batch.batch_id)
    };
    let same = customer.show_and_complete(all(None)).await;
    assert_eq!(rolled_back(&same), (1, 9));
    assert_eq!(same.batch.options, batch.batch.options);
    let stop = BatchOptions {
        stop_after_failures: 1,
        ..BatchOptions::default()
    };
    customer.set_seats(NOTES, 4).await;
    let other = customer.show_and_complete(all(Some(stop))).await;
    assert_eq!(other.counts(), (4, 0, 1));
    assert_eq!(other.batch.stopped_by(), StoppedAfterFailures);
    // The failed one alone, then all who are left.
    customer.set_seats(NOTES, 10).await;
    let one = customer
        .show_and_complete(customer.retry(&other.batch.batch_id))
        .await;
    assert_eq!(one.counts(), (1, 0, 0));
    let rest = customer.show_and_complete(all(None)).await;
    assert_eq!(rest.counts(), (5, 5, 0));
}

on_every_engine![
    every_failure_succeeds_once_its_cause_is_gone,
    only_those_who_failed_are_tried_in_the_order_of_the_request,
    the_options_are_those_of_the_batch_unless_others_are_given,
];
