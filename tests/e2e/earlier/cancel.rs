//! A batch is cancelled: whoever had no turn is skipped, and the batch says so.

use seatwise_client::Code;
use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::{Batch, CancelBatchRequest, ErrorReason, ReasonCode, batch};

use crate::customer::{Customer, Outcome, assert_applied, codes_of, read};
use crate::fixtures::product::{NOTES, VIDEO};
use crate::fixtures::{UNKNOWN_ID, assign, user_ids};
use crate::harness::{Harness, on_every_engine};

/// Where the chunks of the batch end.
const ENDS: [usize; 6] = [64, 564, 1_064, 1_564, 2_064, 2_100];
const USERS: usize = 2_100;

async fn cancel(customer: &Customer, batch_id: &str) -> Batch {
    let request = CancelBatchRequest {
        customer_id: customer.id.clone(),
        batch_id: batch_id.to_owned(),
        ..Default::default()
    };
    let cancelled = customer.client.cancel_batch(request).await;
    cancelled.expect("cancelled")
}

async fn who_had_no_turn_is_skipped_whenever_a_batch_is_cancelled(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(NOTES, USERS as i32).await;
    let mut skipped = Vec::new();
    for seen in [0].into_iter().chain(ENDS) {
        let request = customer.request(assign(&[NOTES]), user_ids(USERS));
        let mut stream = customer.client.batch(request);
        let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
        let mut results = Vec::new();
        while results.len() < seen {
            let result = stream.next().await.expect("a result");
            results.push(result.expect("a result").result);
        }
        cancel(&customer, &batch_id).await;
        let rest = read(stream).await.expect("a cancelled batch ends");
        results.extend(rest.results);
        let outcome = Outcome { results, ..rest };
        assert_cancelled(&outcome, seen);
        skipped.push(outcome.batch.skipped_count());

        let ended = customer.batch(&batch_id).await;
        assert_eq!(cancel(&customer, &batch_id).await, ended, "once more");
        let stored = customer.client.batch_results(&customer.id, &batch_id, "");
        let stored = read(stored).await.expect("results are stored");
        assert_eq!(stored.bytes(), outcome.bytes());
        customer
            .assert_seats(NOTES, ended.applied_count(), ended.skipped_count())
            .await;
        customer.complete(customer.revert(&batch_id)).await;
        customer.assert_seats(NOTES, 0, USERS as i32).await;
    }
    assert!(skipped[0] > 0, "a batch that had just begun: {skipped:?}");
    assert_eq!(skipped.last(), Some(&0), "one that was over");
}

/// Checks that the batch stopped at the end of a chunk, after all that were seen.
fn assert_cancelled(outcome: &Outcome, seen: usize) {
    let applied = |result: &&_| Disposition::Applied == disposition(result);
    let served = outcome.results.iter().take_while(applied).count();
    assert!(
        served >= seen && (served == 0 || ENDS.contains(&served)),
        "{served}"
    );
    outcome.results[..served].iter().for_each(assert_applied);
    for result in &outcome.results[served..] {
        assert_eq!(disposition(result), Disposition::Skipped);
        assert_eq!(codes_of(result), [ReasonCode::BatchCancelled]);
        assert!(result.retryable);
    }
    let skipped = (USERS - served) as i32;
    assert_eq!(outcome.results.len(), USERS);
    assert_eq!(outcome.batch.state(), batch::State::Ended);
    assert_eq!(outcome.batch.skipped_count(), skipped);
    assert_eq!(outcome.batch.applied_count(), served as i32);
    let reason = match skipped {
        0 => ReasonCode::Unspecified,
        _ => ReasonCode::BatchCancelled,
    };
    assert_eq!(outcome.batch.stopped_by(), reason);
    let counted = outcome.summary.reasons.iter();
    let counted: Vec<_> = counted
        .map(|count| (count.code(), count.user_count()))
        .collect();
    let expected = (skipped > 0).then_some((ReasonCode::BatchCancelled, skipped));
    assert_eq!(counted, Vec::from_iter(expected));
}

fn disposition(result: &seatwise_client::v1::BatchResult) -> Disposition {
    result.disposition()
}

async fn batches_that_wait_for_others_are_cancelled_as_well(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(NOTES, USERS as i32).await;
    customer.set_seats(VIDEO, USERS as i32).await;
    let mut streams = Vec::new();
    for product in [NOTES, VIDEO, NOTES, VIDEO] {
        let request = customer.request(assign(&[product]), user_ids(USERS));
        let mut stream = customer.client.batch(request);
        let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
        streams.push((stream, batch_id));
    }
    for (_, batch_id) in streams.iter().rev() {
        cancel(&customer, batch_id).await;
    }
    let mut skipped = 0;
    for (stream, batch_id) in streams {
        let outcome = read(stream).await.expect("a cancelled batch ends");
        let ended = customer.batch(&batch_id).await;
        assert_eq!(
            (ended.state(), &ended),
            (batch::State::Ended, &outcome.batch)
        );
        skipped = ended.skipped_count();
    }
    assert!(
        skipped > 0,
        "the last one, which was cancelled first, had hardly begun"
    );
    customer.assert_counts().await;
}

async fn a_batch_that_is_not_there_cannot_be_cancelled(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer().await;
    for (customer_id, batch_id, code, reason) in [
        (
            &*customer.id,
            UNKNOWN_ID,
            Code::NotFound,
            ErrorReason::ResourceNotFound,
        ),
        (
            UNKNOWN_ID,
            UNKNOWN_ID,
            Code::NotFound,
            ErrorReason::ResourceNotFound,
        ),
        (
            &*customer.id,
            "1",
            Code::InvalidArgument,
            ErrorReason::InvalidField,
        ),
        (
            "",
            UNKNOWN_ID,
            Code::InvalidArgument,
            ErrorReason::InvalidField,
        ),
    ] {
        let request = CancelBatchRequest {
            customer_id: customer_id.to_owned(),
            batch_id: batch_id.to_owned(),
            ..Default::default()
        };
        let error = customer.client.cancel_batch(request).await;
        let error = error.expect_err("refused");
        assert_eq!((error.code, error.reason), (code, reason));
    }
}

on_every_engine![
    who_had_no_turn_is_skipped_whenever_a_batch_is_cancelled,
    batches_that_wait_for_others_are_cancelled_as_well,
    a_batch_that_is_not_there_cannot_be_cancelled,
];
