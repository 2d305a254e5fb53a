//! A batch is taken back: after every kind of change, with the plans as they were.

use seatwise_client::v1::{BatchOptions, batch_options::Mode};
use seatwise_client::v1::{
    Change, ErrorReason, ReasonCode, RevertBatchRequest, RevocationGuard, RevokeOthers,
    UpdateCustomerRequest,
};
use seatwise_client::{BatchRequest, Code};

use super::comparable;
use crate::customer::{Customer, assert_applied, assert_unchanged, codes_of, read};
use crate::fixtures::plan::{CHAT, DRIVE, MAIL};
use crate::fixtures::product::{MAILBOX, NOTES, PHONE, SUITE, VIDEO, VOICE};
use crate::fixtures::{
    UNKNOWN_ID, all_except, assign, assign_plans, change, delta, only, replace, revoke, strings,
    user_id, user_ids,
};
use crate::harness::{Harness, on_every_engine};

const USERS: usize = 8;

/// Users who hold this and that, with some of the plans, and seats enough.
async fn customer_with_holdings(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    for product in [SUITE, MAILBOX, PHONE, VOICE, NOTES, VIDEO] {
        customer.set_seats(product, USERS as i32).await;
    }
    let users = |numbers: &[usize]| numbers.iter().copied().map(user_id).collect::<Vec<_>>();
    customer.give(&[SUITE], &users(&[1, 6])).await;
    customer.give(&[NOTES], &users(&[3, 4, 7])).await;
    customer.give(&[VIDEO], &users(&[4, 5, 7])).await;
    for (number, plans) in [
        (2, only(&[MAIL])),
        (3, all_except(&[CHAT])),
        (7, all_except(&[CHAT, DRIVE])),
    ] {
        customer
            .run(assign_plans(SUITE, plans), &users(&[number]))
            .await;
    }
    customer.give(&[PHONE], &users(&[6])).await;
    customer
}

fn revoke_all_but(change: Change, keep: &[&str]) -> Change {
    Change {
        revoke_others: Some(RevokeOthers {
            keep_product_ids: strings(keep),
        }),
        ..change
    }
}

async fn after_every_kind_of_change_the_world_is_as_before(server: &Harness) {
    let customer = customer_with_holdings(server).await;
    let mut with_delta = assign(&[SUITE]);
    with_delta.assign[0].plans = Some(delta(&[MAIL], &[DRIVE]));
    let changes = [
        ("assign", assign(&[SUITE, NOTES])),
        (
            "assign with plans",
            assign_plans(SUITE, only(&[MAIL, CHAT])),
        ),
        ("plans by delta", with_delta),
        ("revoke", revoke(&[NOTES, VIDEO])),
        ("assign and revoke", change(&[VOICE], &[SUITE])),
        ("replace", replace(NOTES, SUITE, None)),
        (
            "replace with plans",
            replace(NOTES, SUITE, Some(delta(&[], &[MAIL]))),
        ),
        ("replace by what some hold", replace(VIDEO, NOTES, None)),
        ("revoke others", revoke_all_but(assign(&[VIDEO]), &[])),
        (
            "revoke all but some",
            revoke_all_but(Change::default(), &[SUITE]),
        ),
    ];
    let own = changes.iter().enumerate().take(USERS);
    let own = own.map(|(number, (_, change))| (user_id(number), change.clone()));
    let own = customer.own_changes(own);
    let requests = changes
        .iter()
        .map(|(what, change)| (*what, customer.request(change.clone(), user_ids(USERS))))
        .chain([("a change per user", own)]);
    for (what, request) in requests {
        println!("{what}");
        let before = customer.world().await;
        let batch = customer.execute(request).await.batch;
        let after = customer.world().await;
        assert_ne!(before, after, "{what}");
        let mut reverted = batch.batch_id.clone();
        for expected in [&before, &after, &before] {
            let revert = customer.show_and_complete(customer.revert(&reverted)).await;
            assert_eq!(&customer.world().await, expected, "{what}");
            revert.results.iter().for_each(assert_applied);
            let new = &revert.batch;
            assert_eq!(new.user_count(), batch.applied_count());
            assert_eq!(new.reverts_batch_id, reverted);
            let known = customer.batch(&reverted).await.reverted_by_batch_id;
            assert_eq!(known, new.batch_id);
            reverted.clone_from(&new.batch_id);
        }
        // Once more: everything is so already.
        let again = customer
            .show_and_complete(customer.revert(&batch.batch_id))
            .await;
        again.results.iter().for_each(assert_unchanged);
        assert_eq!(again.results.len(), batch.applied_count() as usize);
        customer.assert_counts().await;
    }
}

async fn seats_that_others_have_taken_are_missing(server: &Harness) {
    let customer = customer_with_holdings(server).await;
    let taken = customer.request(revoke(&[NOTES]), user_ids(USERS));
    let taken = customer.execute(taken).await.batch;
    assert_eq!(taken.applied_count(), 3);
    customer.set_seats(NOTES, 2).await;
    customer.give(&[NOTES], &[user_id(0)]).await;
    let revert = customer
        .show_and_complete(customer.revert(&taken.batch_id))
        .await;
    assert_eq!(
        (revert.batch.applied_count(), revert.batch.failed_count()),
        (1, 2)
    );
    for result in &revert.results[1..] {
        assert_eq!(codes_of(result), [ReasonCode::SeatsExhausted]);
        assert!(result.retryable);
    }
    assert_eq!(revert.summary.seats[0].shortage(), 2);

    // All or nobody, and refused if seats are short.
    customer
        .complete(customer.revert(&revert.batch.batch_id))
        .await;
    let atomic = RevertBatchRequest {
        options: Some(BatchOptions {
            mode: Mode::Atomic.into(),
            ..BatchOptions::default()
        }),
        ..customer.revert(&taken.batch_id)
    };
    let before = customer.world().await;
    let atomic = customer.show_and_complete(atomic).await;
    assert!(atomic.summary.rolled_back);
    assert_eq!(customer.world().await, before);

    // With seats, the revert is tried again, and is one still.
    customer.set_seats(NOTES, 4).await;
    let mut retry = customer.retry(&atomic.batch.batch_id);
    retry.include_skipped = true;
    let retried = customer.show_and_complete(retry).await;
    retried.results.iter().for_each(assert_applied);
    assert_eq!(retried.results.len(), 3);
    customer.assert_seats(NOTES, 4, 0).await;
}

async fn a_revert_is_refused_as_a_whole_only_for_what_is_wrong_with_it(server: &Harness) {
    let customer = customer_with_holdings(server).await;
    let many = server.customer_with_users(5_000).await;
    many.set_seats(NOTES, 5_000).await;
    let mut stream = many
        .client
        .batch(many.request(assign(&[NOTES]), user_ids(5_000)));
    let running = stream.accepted().await.expect("accepted").batch_id.clone();
    let requests: [BatchRequest; 2] = [many.revert(&running).into(), many.retry(&running).into()];
    for request in requests {
        for stream in [
            many.client.batch(request.clone()),
            many.client.preview(request),
        ] {
            let error = read(stream).await.expect_err("refused");
            assert_eq!(error.code, Code::FailedPrecondition);
            assert_eq!(error.reason, ErrorReason::BatchRunning);
            assert_eq!(error.metadata["batchId"], running);
        }
    }
    many.ended(&running).await;

    for (batch_id, reason) in [
        (UNKNOWN_ID, ErrorReason::ResourceNotFound),
        (&running, ErrorReason::ResourceNotFound),
        ("x", ErrorReason::InvalidField),
        ("", ErrorReason::InvalidField),
    ] {
        assert_eq!(
            customer.refused(customer.revert(batch_id)).await.reason,
            reason
        );
        assert_eq!(
            customer.refused(customer.retry(batch_id)).await.reason,
            reason
        );
    }
    let mut wrong = customer.revert(UNKNOWN_ID);
    wrong.options = Some(BatchOptions {
        stop_after_failures: -1,
        ..BatchOptions::default()
    });
    let error = customer.refused(wrong).await;
    assert_eq!(error.violations[0].field, "options.stop_after_failures");
}

async fn a_revert_is_carried_out_once_and_as_it_was_shown(server: &Harness) {
    let customer = customer_with_holdings(server).await;
    let batch = customer.request(change(&[VOICE], &[NOTES]), user_ids(USERS));
    let batch = customer.execute(batch).await.batch;
    let revert = customer.revert(&batch.batch_id);
    let shown = read(customer.client.preview(revert.clone()))
        .await
        .expect("a preview");
    let promised = RevertBatchRequest {
        plan_token: shown.summary.plan_token,
        ..revert.clone()
    };

    // Bound to a preview it is refused when somebody has changed something.
    assert_applied(&customer.revoke(&[VOICE], &[user_id(0)]).await[0]);
    let error = customer.refused(promised.clone()).await;
    assert_eq!(error.reason, ErrorReason::PlanStale);
    customer.give(&[VOICE], &[user_id(0)]).await;
    let other = RevertBatchRequest {
        take_safe_part: true,
        ..promised.clone()
    };
    assert_eq!(
        customer.refused(other).await.reason,
        ErrorReason::PlanMismatch
    );

    let first = customer.complete(promised.clone()).await;
    let again = customer.complete(promised.clone()).await;
    assert!(again.replayed && !first.replayed);
    assert_eq!(again.bytes(), first.bytes());
    assert_eq!(comparable(&first.results), comparable(&shown.results));
    let same_id = |batch_id: &str| RevertBatchRequest {
        request_id: revert.request_id.clone(),
        ..customer.revert(batch_id)
    };
    let error = customer.refused(same_id(&first.batch.batch_id)).await;
    assert_eq!(error.reason, ErrorReason::RequestIdReused);
    let mut retry = customer.retry(&batch.batch_id);
    retry.request_id.clone_from(&revert.request_id);
    let error = customer.refused(retry).await;
    assert_eq!(error.reason, ErrorReason::RequestIdReused);
    server.restart().await;
    let again = customer.complete(same_id(&batch.batch_id)).await;
    assert_eq!(again.bytes(), first.bytes());
}

async fn a_revert_that_takes_too_much_has_to_be_confirmed(server: &Harness) {
    let customer = customer_with_holdings(server).await;
    let guard = UpdateCustomerRequest {
        customer_id: customer.id.clone(),
        revocation_guard: Some(RevocationGuard {
            users_max: Some(1),
            license_percent_max: None,
        }),
        ..UpdateCustomerRequest::default()
    };
    customer.client.update_customer(guard).await.expect("set");
    let given = customer.request(assign(&[VOICE]), user_ids(2));
    let given = customer.execute(given).await.batch;
    let before = customer.world().await;

    let request = customer.revert(&given.batch_id);
    let error = customer.refused(request.clone()).await;
    assert_eq!(error.reason, ErrorReason::ConfirmationRequired);
    assert_eq!(error.metadata["users"], "2");
    let shown = read(customer.client.preview(request.clone()))
        .await
        .expect("a preview");
    let required = shown.summary.required_confirmation.expect("required");
    assert_eq!(required.confirmation, error.metadata["confirmation"]);
    let confirmed = BatchRequest::from(request).with_confirmation(required.confirmation);
    customer
        .complete(confirmed)
        .await
        .results
        .iter()
        .for_each(assert_applied);
    // To give back is not guarded.
    let last = customer.batch(&given.batch_id).await.reverted_by_batch_id;
    customer.complete(customer.revert(&last)).await;
    assert_eq!(customer.world().await, before);
}

on_every_engine![
    after_every_kind_of_change_the_world_is_as_before,
    seats_that_others_have_taken_are_missing,
    a_revert_is_refused_as_a_whole_only_for_what_is_wrong_with_it,
    a_revert_is_carried_out_once_and_as_it_was_shown,
    a_revert_that_takes_too_much_has_to_be_confirmed,
];
