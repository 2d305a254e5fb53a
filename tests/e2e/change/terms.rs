//! Atomic batches, and batches that stop after failures.

use std::collections::BTreeSet;

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::ExecuteBatchRequest;
use seatwise_client::v1::ReasonCode::{
    BatchRolledBack, SeatsExhausted, StoppedAfterFailures, Unspecified, UsageLocationMissing,
    UserNotFound,
};
use seatwise_client::v1::batch_result::Disposition;

use super::{all_counts, atomic, best_effort, codes, stop_after, with};
use crate::customer::{Customer, assert_applied, held, read};
use crate::fixtures::product::{MAILBOX, NOTES, SUITE, VIDEO};
use crate::fixtures::{assign, change, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::selections::{everybody, select};

/// Users 0 and 1 have all seats of SUITE, 2 and 3 all of MAILBOX, and all want the other.
async fn crosswise(server: &Harness) -> (Customer, ExecuteBatchRequest) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(4).await;
    customer.set_seats(SUITE, 2).await;
    customer.set_seats(MAILBOX, 2).await;
    customer.give(&[SUITE], &[0, 1].map(user_id)).await;
    customer.give(&[MAILBOX], &[2, 3].map(user_id)).await;
    let turn = |number| {
        let change = match number {
            0 | 1 => change(&[MAILBOX], &[SUITE]),
            _ => change(&[SUITE], &[MAILBOX]),
        };
        (user_id(number), change)
    };
    let request = customer.own_changes((0..4).map(turn));
    (customer, request)
}

async fn users_swap_the_last_seats_in_one_piece_only(server: &Harness) {
    let (customer, request) = crosswise(server).await;
    // One by one nobody can begin.
    let before = customer.assignments().await;
    let one_by_one = customer
        .outcome(&with(best_effort(), request.clone()))
        .await;
    assert_eq!(codes(&one_by_one), [const { [SeatsExhausted] }; 4]);
    assert_eq!(customer.assignments().await, before);

    let request = ExecuteBatchRequest {
        request_id: String::new(),
        ..request
    };
    let swapped = customer.outcome(&with(atomic(), request)).await;
    let results = swapped.by_index();
    results.iter().for_each(assert_applied);
    let held: Vec<_> = results.iter().map(held).collect();
    assert_eq!(held, [[MAILBOX], [MAILBOX], [SUITE], [SUITE]]);
    assert!(!swapped.summary.rolled_back);
    for seats in &swapped.summary.seats {
        assert_eq!(seats.before, seats.after);
        assert_eq!(seats.shortage(), 0);
    }
    customer.assert_seats(SUITE, 2, 0).await;
    customer.assert_seats(MAILBOX, 2, 0).await;
}

async fn one_refused_user_rolls_all_back(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(5).await;
    customer.set_seats(NOTES, 5).await;
    customer.set_seats(VIDEO, 5).await;
    customer.give(&[VIDEO], &user_ids(2)).await;
    customer.unlocate([3]).await;
    let before = (customer.assignments().await, customer.licenses().await);

    let change = change(&[NOTES], &[VIDEO]);
    let request = with(atomic(), customer.request(change, user_ids(5)));
    let outcome = customer.outcome(&request).await;
    assert_eq!(all_counts(&outcome.batch), (0, 0, 1, 4));
    let skipped = vec![BatchRolledBack];
    let mut expected = vec![skipped; 5];
    expected[3] = vec![UsageLocationMissing];
    assert_eq!(codes(&outcome), expected);
    let results = outcome.by_index();
    assert_eq!(results[0].disposition(), Disposition::Skipped);
    assert_eq!(results[3].disposition(), Disposition::Failed);
    // Each is shown as it is: as before.
    assert_eq!(held(&results[0]), [VIDEO]);
    assert_eq!(held(&results[2]), [""; 0]);
    assert_eq!(results[0].assigned_product_ids, [""; 0]);
    assert_eq!(results[0].revoked_product_ids, [""; 0]);

    assert!(outcome.summary.rolled_back);
    assert_eq!(outcome.batch.stopped_by(), BatchRolledBack);
    for seats in &outcome.summary.seats {
        assert_eq!(seats.before, seats.after);
    }
    let after = (customer.assignments().await, customer.licenses().await);
    assert_eq!(after, before);

    // A user who is not there is refused as well.
    let users = [user_ids(2), vec!["nobody@example.com".to_owned()]].concat();
    let request = with(atomic(), customer.request(assign(&[NOTES]), users));
    let outcome = customer.outcome(&request).await;
    let expected = [BatchRolledBack, BatchRolledBack, UserNotFound];
    assert_eq!(codes(&outcome), expected.map(|code| vec![code]));
    customer.assert_seats(NOTES, 0, 5).await;
}

async fn a_seat_too_few_rolls_all_back(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(4).await;
    customer.set_seats(NOTES, 3).await;
    let request = with(atomic(), customer.request(assign(&[NOTES]), user_ids(4)));
    let outcome = customer.outcome(&request).await;
    let seats = &outcome.summary.seats[0];
    assert_eq!((seats.shortage(), &seats.before), (1, &seats.after));
    assert_eq!(all_counts(&outcome.batch), (0, 0, 1, 3));
    customer.assert_seats(NOTES, 0, 3).await;

    customer.set_seats(NOTES, 4).await;
    let request = with(atomic(), customer.request(assign(&[NOTES]), user_ids(4)));
    let outcome = customer.outcome(&request).await;
    assert_eq!(all_counts(&outcome.batch), (4, 0, 0, 0));
    customer.assert_seats(NOTES, 4, 0).await;
}

async fn ten_thousand_users_are_one_piece_and_not_one_more(server: &Harness) {
    const MAX: usize = 10_000;
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(MAX + 1).await;
    customer.set_seats(NOTES, 20_000).await;
    let listed = customer.request(assign(&[NOTES]), user_ids(MAX + 1));
    let everybody = select(vec![everybody()], vec![]);
    let selected = customer.over(assign(&[NOTES]), everybody);
    for request in [listed, selected] {
        let refused = read(customer.client.batch(with(atomic(), request))).await;
        let error = refused.expect_err("one too many");
        assert_eq!(error.reason, ErrorReason::TooManyItems, "{error:?}");
        assert_eq!(error.metadata["given"], "10001");
        assert_eq!(error.metadata["max"], "10000");
    }
    assert_eq!(customer.batches().await, []);
    let request = customer.request(assign(&[NOTES]), user_ids(MAX));
    let outcome = customer.outcome(&with(atomic(), request)).await;
    assert_eq!(all_counts(&outcome.batch), (10_000, 0, 0, 0));
    let users: BTreeSet<_> = outcome.results.iter().map(|r| &r.user_id).collect();
    assert_eq!(users.len(), MAX);
    customer.assert_seats(NOTES, 10_000, 10_000).await;
}

async fn a_batch_stops_exactly_after_so_many_failures(server: &Harness) {
    server.start_with_catalogue().await;
    // Failures at the end of the first chunk, at the start of the second, and far apart.
    let failing = [5, 63, 64, 99];
    for (failures, last) in [(1, 5), (2, 63), (3, 64), (4, 99)] {
        let customer = server.customer_with_users(100).await;
        customer.set_seats(NOTES, 100).await;
        customer.unlocate(failing).await;
        let request = customer.request(assign(&[NOTES]), user_ids(100));
        let outcome = customer.outcome(&with(stop_after(failures), request)).await;
        let results = outcome.by_index();
        for (number, result) in results.iter().enumerate() {
            let expected = match number {
                _ if number > last => Disposition::Skipped,
                _ if failing.contains(&number) => Disposition::Failed,
                _ => Disposition::Applied,
            };
            assert_eq!(result.disposition(), expected, "{failures}: {number}");
        }
        let skipped = 99 - last as i32;
        let applied = 100 - failures - skipped;
        assert_eq!(all_counts(&outcome.batch), (applied, 0, failures, skipped));
        let stopped_by = if skipped > 0 {
            assert_eq!(codes(&outcome)[99], [StoppedAfterFailures]);
            StoppedAfterFailures
        } else {
            Unspecified
        };
        assert_eq!(outcome.batch.stopped_by(), stopped_by);
        assert!(!outcome.summary.rolled_back);
        customer.assert_seats(NOTES, applied, 100 - applied).await;
    }
}

on_every_engine![
    users_swap_the_last_seats_in_one_piece_only,
    one_refused_user_rolls_all_back,
    a_seat_too_few_rolls_all_back,
    ten_thousand_users_are_one_piece_and_not_one_more,
    a_batch_stops_exactly_after_so_many_failures,
];
