//! Users whom others have changed between a batch and its revert are left alone, and named.

use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::{
    BatchResult, Change, PlanChoice, PlanEdit, ProductReplacement, Reason, ReasonCode,
    RevertBatchRequest,
};

use super::World;
use crate::customer::{
    Customer, Outcome, assert_applied, assert_failed, assert_unchanged, codes_of, read,
};
use crate::fixtures::plan::{CHAT, DRIVE, MAIL};
use crate::fixtures::product::{NOTES, SUITE, VIDEO};
use crate::fixtures::{all_except, assign, assign_plans, only, revoke, set_to, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::reasons::product_ref;

/// The one batch that a change of one user makes.
async fn other(customer: &Customer, change: Change, number: usize) -> String {
    let request = customer.request(change, vec![user_id(number)]);
    let outcome = customer.execute(request).await;
    assert_applied(&outcome.results[0]);
    outcome.batch.batch_id
}

fn changed_since(product: &str, name: &str, batch_id: &str) -> Reason {
    Reason {
        code: ReasonCode::ChangedSince.into(),
        product: product_ref(product, name),
        batch_id: batch_id.to_owned(),
        ..Reason::default()
    }
}

/// Users 0 to 6 are given two products; then others change 1 to 5, and 6 is deleted. Gives the batch
/// and those that made the changes.
async fn changed_in_between(server: &Harness) -> (Customer, String, Vec<String>) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(7).await;
    for product in [SUITE, NOTES, VIDEO] {
        customer.set_seats(product, 7).await;
    }
    let batch = customer.request(assign(&[SUITE, NOTES]), user_ids(7));
    let batch = customer.execute(batch).await.batch.batch_id;
    let others = vec![
        other(&customer, assign_plans(SUITE, only(&[MAIL])), 1).await,
        other(&customer, revoke(&[NOTES]), 2).await,
        other(&customer, revoke(&[SUITE, NOTES]), 3).await,
        // Revoked, and given again by somebody else with other plans.
        other(&customer, revoke(&[SUITE]), 4).await,
        other(&customer, assign_plans(SUITE, all_except(&[CHAT])), 4).await,
        // Something else, which is no matter.
        other(&customer, assign(&[VIDEO]), 5).await,
    ];
    customer.delete(6).await;
    (customer, batch, others)
}

async fn whom_others_have_changed_is_left_alone_and_named(server: &Harness) {
    let (customer, batch, others) = changed_in_between(server).await;
    let before = customer.world().await;
    let dutch = server.client_in("nl");
    let preview = dutch.preview(customer.revert(&batch)).collect().await;
    let preview = preview.expect("a preview");
    let text = &preview.failed[0].reason_texts[0];
    assert!(
        text.starts_with("Suite is sindsdien") && text.contains(&others[0]),
        "{text}"
    );

    let revert = customer.show_and_complete(customer.revert(&batch)).await;
    let results = revert.by_index();
    assert_applied(&results[0]);
    assert_unchanged(&results[3]);
    assert_applied(&results[5]);
    assert_failed(&results[6], &[ReasonCode::UserNotFound]);
    for (number, product, name, changer) in [
        (1, SUITE, "Suite", &others[0]),
        (2, NOTES, "Notes", &others[1]),
        (4, SUITE, "Suite", &others[4]),
    ] {
        assert_failed(&results[number], &[ReasonCode::ChangedSince]);
        assert_eq!(
            results[number].reasons,
            [changed_since(product, name, changer)]
        );
        assert!(!results[number].retryable);
    }
    let after = customer.world().await;
    for number in [1, 2, 4] {
        assert_eq!(of(&after, number), of(&before, number));
    }
    assert_eq!(of(&after, 0), []);
    assert_eq!(of(&after, 5), [(VIDEO.to_owned(), Some(all_except(&[])))]);
    customer.assert_counts().await;
}

async fn the_safe_part_is_taken_back_on_demand(server: &Harness) {
    let (customer, batch, others) = changed_in_between(server).await;
    let safe = RevertBatchRequest {
        take_safe_part: true,
        ..customer.revert(&batch)
    };
    let revert = customer.show_and_complete(safe).await;
    let results = revert.by_index();
    let left = |number: usize| {
        let reasons = results[number].reasons.clone();
        (results[number].disposition(), reasons)
    };
    let applied = |reasons: &[Reason]| (Disposition::Applied, reasons.to_vec());
    let suite = |changer: &str| changed_since(SUITE, "Suite", changer);
    assert_eq!(left(0), applied(&[]));
    assert_eq!(left(1), applied(&[suite(&others[0])]));
    // What somebody has taken back already is no part of it.
    assert_eq!(left(2), applied(&[]));
    assert_unchanged(&results[3]);
    assert_eq!(left(4), applied(&[suite(&others[4])]));
    assert_eq!(results[1].revoked_product_ids, [NOTES]);
    assert!(!results[1].retryable);
    let counted = revert.summary.reasons.iter();
    let counted: Vec<_> = counted
        .map(|count| (count.code(), count.user_count()))
        .collect();
    let expected = [(ReasonCode::UserNotFound, 1), (ReasonCode::ChangedSince, 2)];
    assert_eq!(counted, expected);

    let world = customer.world().await;
    let suite = |plans| vec![(SUITE.to_owned(), Some(plans))];
    assert_eq!(of(&world, 1), suite(only(&[MAIL])));
    assert_eq!(of(&world, 2), []);
    assert_eq!(of(&world, 4), suite(all_except(&[CHAT])));

    // Where nothing is as it was left, nothing can be done.
    let again = RevertBatchRequest {
        take_safe_part: true,
        ..customer.revert(&batch)
    };
    let again = customer.show_and_complete(again).await.by_index();
    for number in [1, 4] {
        assert_failed(&again[number], &[ReasonCode::ChangedSince]);
    }
}

/// What a user holds, and with which plans.
fn of((held, _): &World, number: usize) -> Vec<(String, Option<PlanChoice>)> {
    let held = held
        .iter()
        .filter(|((user, _), _)| *user == user_id(number));
    held.map(|((_, product), plans)| (product.clone(), plans.clone()))
        .collect()
}

/// How many users there are, and how many of them are changed in between.
const USERS: usize = 2_000;
const CHANGED: usize = 50;

/// Everybody has NOTES, each tenth SUITE with two plans off; NOTES is replaced by SUITE with all plans.
async fn replaced(server: &Harness) -> (Customer, World, Outcome) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    for product in [SUITE, NOTES, VIDEO] {
        customer.set_seats(product, USERS as i32).await;
    }
    customer.give(&[NOTES], &user_ids(USERS)).await;
    let some: Vec<_> = (0..USERS).step_by(10).map(user_id).collect();
    let off = assign_plans(SUITE, all_except(&[CHAT, DRIVE]));
    customer
        .run(off, &some)
        .await
        .iter()
        .for_each(assert_applied);
    let before = customer.world().await;

    let all: PlanEdit = set_to(all_except(&[]));
    let change = Change {
        replace: vec![ProductReplacement {
            product_id: NOTES.to_owned(),
            by_product_id: SUITE.to_owned(),
            plans: Some(all),
        }],
        ..assign(&[VIDEO])
    };
    let batch = customer
        .execute(customer.request(change, user_ids(USERS)))
        .await;
    assert_eq!(batch.counts(), (USERS as i32, 0, 0));
    (customer, before, batch)
}

async fn after_a_replacement_the_world_is_as_before_down_to_the_plans(server: &Harness) {
    let (customer, before, batch) = replaced(server).await;
    let revert = customer
        .show_and_complete(customer.revert(&batch.batch.batch_id))
        .await;
    assert_eq!(revert.counts(), (USERS as i32, 0, 0));
    assert_eq!(customer.world().await, before);
    let changed = |result: &&BatchResult| result.changed_product_ids == [SUITE];
    assert_eq!(revert.results.iter().filter(changed).count(), USERS / 10);
    customer.assert_counts().await;
}

async fn those_changed_in_between_are_exactly_those_left_alone(server: &Harness) {
    let (customer, before, batch) = replaced(server).await;
    let is_changed = |number: usize| number % (USERS / CHANGED) == 7;
    let changed: Vec<_> = (0..USERS).filter(|number| is_changed(*number)).collect();
    assert_eq!(changed.len(), CHANGED);
    let users = changed.iter().copied().map(user_id).collect();
    let other = customer.request(assign_plans(SUITE, only(&[MAIL])), users);
    let other = customer.execute(other).await.batch;
    let between = customer.world().await;

    let shown = customer
        .client
        .preview(customer.revert(&batch.batch.batch_id));
    let shown = read(shown).await.expect("a preview");
    let revert = customer
        .show_and_complete(customer.revert(&batch.batch.batch_id))
        .await;
    assert_eq!(
        shown.counts(),
        ((USERS - CHANGED) as i32, 0, CHANGED as i32)
    );
    assert_eq!(revert.counts(), shown.counts());
    let after = customer.world().await;
    for (number, result) in revert.by_index().iter().enumerate() {
        if is_changed(number) {
            assert_eq!(codes_of(result), [ReasonCode::ChangedSince]);
            let reason = changed_since(SUITE, "Suite", &other.batch_id);
            assert_eq!(result.reasons, [reason]);
            assert_eq!(of(&after, number), of(&between, number));
        } else {
            assert_applied(result);
            assert_eq!(of(&after, number), of(&before, number));
        }
    }
    customer.assert_counts().await;
}

on_every_engine![
    whom_others_have_changed_is_left_alone_and_named,
    the_safe_part_is_taken_back_on_demand,
    after_a_replacement_the_world_is_as_before_down_to_the_plans,
    those_changed_in_between_are_exactly_those_left_alone,
];
