//! Choosing what to give and what to take, and saving it in one call.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::Coverage;
use seatwise_client::v1::ReasonCode::UserNotFound;

use super::{all_on, these};
use crate::customer::{assert_applied, assert_failed, assert_unchanged, held, read};
use crate::fixtures::plan::{CHAT, DRIVE, MAIL};
use crate::fixtures::product::{NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{all_except, assign, assign_plans, change, only, revoke, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::holdings::{self, told};
use crate::plans::{customer_with_suite, plans_of, suite_of};
use crate::selections::{everybody, frozen, select, users};

async fn s02_one_call_serves_one_user_or_many_of_one_customer(server: &Harness) {
    server.start_with_catalogue().await;
    let (ours, theirs) = (
        server.customer_with_users(4).await,
        server.customer_with_users(0).await,
    );
    ours.set_seats(NOTES, 10).await;
    theirs.set_seats(NOTES, 10).await;
    theirs.add_users([9]).await;

    let one = ours.assign(&[NOTES], &[user_id(0)]).await;
    assert_applied(&one[0]);
    let many = ours.assign(&[NOTES], &[user_id(1), user_id(2)]).await;
    many.iter().for_each(assert_applied);

    // Another customer's user is like one that does not exist.
    let mixed = ours.assign(&[NOTES], &[user_id(3), user_id(9)]).await;
    assert_applied(&mixed[0]);
    assert_failed(&mixed[1], &[UserNotFound]);
    assert_eq!(mixed[1].user_id, "");
    assert_eq!(mixed[1].display_name, "");
    ours.assert_seats(NOTES, 4, 6).await;
    theirs.assert_seats(NOTES, 0, 10).await;

    // Nor is another customer's selection there.
    let kept = frozen(&theirs.frozen(select(vec![everybody()], vec![])).await);
    let request = ours.over(revoke(&[NOTES]), select(vec![everybody(), kept], vec![]));
    let error = read(ours.client.batch(request)).await;
    let error = error.expect_err("not ours");
    assert_eq!(error.reason, ErrorReason::ResourceNotFound, "{error:?}");
    ours.assert_seats(NOTES, 4, 6).await;
}

async fn s03_a_revoke_takes_the_product_and_the_seat_comes_back(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(NOTES, 3).await;
    customer.give(&[NOTES], &user_ids(3)).await;
    customer.assert_seats(NOTES, 3, 0).await;

    let results = customer.revoke(&[NOTES], &user_ids(2)).await;
    for result in &results {
        assert_applied(result);
        assert_eq!(result.revoked_product_ids, [NOTES]);
        assert_eq!(held(result), [""; 0]);
    }
    customer.assert_seats(NOTES, 1, 2).await;
    assert_eq!(customer.products_of(&user_id(0)).await, [""; 0]);
    assert_eq!(customer.products_of(&user_id(2)).await, [NOTES]);
}

async fn s20_a_product_that_some_hold_ends_with_all(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(7).await;
    customer.set_seats(NOTES, 10).await;
    customer.give(&[NOTES], &user_ids(2)).await;
    let selection = these(0..6);
    let before = customer.held_of(&selection, NOTES).await;
    assert_eq!(told(&before), (2, Coverage::Some));

    let saved = customer.save(assign(&[NOTES]), selection.clone()).await;
    let results = saved.by_index();
    results[..2].iter().for_each(assert_unchanged);
    results[2..].iter().for_each(assert_applied);
    let after = customer.held_of(&selection, NOTES).await;
    assert_eq!(told(&after), (6, Coverage::All));
    assert_eq!(customer.products_of(&user_id(6)).await, [""; 0]);
    customer.assert_seats(NOTES, 6, 4).await;
}

async fn s22_several_products_are_assigned_in_one_call(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    for product in [SUITE, NOTES, VIDEO] {
        customer.set_seats(product, 2).await;
    }
    let results = customer.assign(&[VIDEO, SUITE, NOTES], &user_ids(2)).await;
    for result in &results {
        assert_applied(result);
        assert_eq!(result.assigned_product_ids, [VIDEO, SUITE, NOTES]);
    }
    for product in [SUITE, NOTES, VIDEO] {
        customer.assert_seats(product, 2, 0).await;
    }
}

async fn s23_plans_are_chosen_per_product(server: &Harness) {
    let customer = customer_with_suite(server).await;
    let mut change = assign_plans(SUITE, only(&[DRIVE, MAIL]));
    change.assign.extend(assign(&[NOTES]).assign);
    let results = customer.run(change, &user_ids(1)).await;
    assert_applied(&results[0]);
    let held: Vec<_> = results[0].held.iter().map(|h| h.plans.clone()).collect();
    assert_eq!(held, [Some(only(&[MAIL, DRIVE])), None]);

    let suite = suite_of(&customer, 0).await;
    assert_eq!(suite.plans, Some(only(&[MAIL, DRIVE])));
    assert_eq!(suite.enabled_plan_ids, [MAIL, DRIVE]);
}

async fn s23_all_plans_except_some_can_be_chosen(server: &Harness) {
    let customer = customer_with_suite(server).await;
    let plans = all_except(&[CHAT]);
    let results = customer
        .run(assign_plans(SUITE, plans.clone()), &user_ids(2))
        .await;
    for (number, result) in results.iter().enumerate() {
        assert_applied(result);
        assert_eq!(plans_of(result), Some(plans.clone()));
        let suite = suite_of(&customer, number).await;
        assert_eq!(suite.plans, Some(plans.clone()));
        assert_eq!(suite.enabled_plan_ids, [MAIL, DRIVE]);
    }
    let shown = holdings::plans(&customer.held_of(&these(0..2), SUITE).await);
    assert_eq!(shown["CHAT"], (0, Coverage::None));
    assert_eq!(shown["DRIVE"], (2, Coverage::All));
}

async fn s24_without_a_choice_all_plans_are_on(server: &Harness) {
    let customer = customer_with_suite(server).await;
    let results = customer.assign(&[SUITE], &user_ids(1)).await;
    assert_applied(&results[0]);
    assert_eq!(plans_of(&results[0]), None, "not set means all");
    let suite = suite_of(&customer, 0).await;
    assert_eq!(suite.plans, Some(all_except(&[])));
    assert_eq!(suite.enabled_plan_ids, [MAIL, CHAT, DRIVE]);
}

async fn s25_one_call_applies_the_whole_set(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(5).await;
    for product in [SUITE, NOTES, VIDEO] {
        customer.set_seats(product, 5).await;
    }
    customer.give(&[VIDEO], &user_ids(5)).await;
    let request = customer.request(change(&[SUITE, NOTES], &[VIDEO]), user_ids(5));
    let outcome = customer.execute(request.clone()).await;

    assert_eq!(outcome.counts(), (5, 0, 0));
    assert_eq!(outcome.batch.request_id, request.request_id);
    assert_eq!(outcome.batch.customer_id, customer.id);
    let batches = customer.batches().await;
    assert_eq!(batches.len(), 2, "one batch per call");
    assert_eq!(batches[0], outcome.batch, "the newest comes first");
    for assignment in customer.assignments().await {
        assert_eq!(assignment.batch_id, outcome.batch.batch_id);
    }
}

async fn s31_users_of_several_pages_lose_a_product(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(8).await;
    customer.set_seats(NOTES, 8).await;
    customer.give(&[NOTES], &user_ids(8)).await;
    let [first, _, third] = customer.three_pages().await;
    let (first, third) = (users(&all_on(&first)), users(&all_on(&third)));
    let kept = customer.frozen(select(vec![first, third], vec![])).await;
    let kept = select(vec![frozen(&kept)], vec![]);
    assert_eq!(customer.holders(&kept, NOTES, false).await.len(), 5);

    let saved = customer.save(revoke(&[NOTES]), kept.clone()).await;
    assert_eq!(saved.counts(), (5, 0, 0));
    let held = customer.held_of(&kept, NOTES).await;
    assert_eq!(told(&held), (0, Coverage::None));
    let others = customer.held_of(&these(3..6), NOTES).await;
    assert_eq!(told(&others), (3, Coverage::All));
    customer.assert_seats(NOTES, 3, 5).await;
}

async fn s32_users_without_the_product_stay_as_they_are(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(6).await;
    customer.set_seats(NOTES, 6).await;
    customer.set_seats(VIDEO, 6).await;
    customer.give(&[NOTES], &user_ids(2)).await;
    customer.give(&[VIDEO], &user_ids(6)).await;
    let before = customer.assignments().await;
    let everybody = select(vec![everybody()], vec![]);

    let saved = customer.save(revoke(&[NOTES]), everybody.clone()).await;
    let results = saved.by_index();
    results[..2].iter().for_each(assert_applied);
    results[2..].iter().for_each(assert_unchanged);
    let mut expected = before;
    expected.retain(|held| held.product_id != NOTES);
    assert_eq!(customer.assignments().await, expected);
    let held = customer.held_of(&everybody, NOTES).await;
    assert_eq!(told(&held), (0, Coverage::None));
}

async fn s32_revoking_what_is_not_held_is_no_error(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(4).await;
    customer.set_seats(NOTES, 4).await;
    customer.give(&[NOTES], &user_ids(2)).await;

    // VIDEO is not even licensed.
    let results = customer.revoke(&[NOTES, VIDEO], &user_ids(4)).await;
    results[..2].iter().for_each(assert_applied);
    assert_eq!(results[0].revoked_product_ids, [NOTES]);
    results[2..].iter().for_each(assert_unchanged);
    customer.assert_seats(NOTES, 0, 4).await;
}

async fn s33_one_call_assigns_some_products_and_revokes_others(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    for product in [NOTES, VIDEO, SUITE] {
        customer.set_seats(product, 2).await;
    }
    customer.give(&[NOTES], &user_ids(2)).await;
    let results = customer
        .run(change(&[VIDEO, SUITE], &[NOTES]), &user_ids(2))
        .await;
    for result in &results {
        assert_applied(result);
        assert_eq!(result.assigned_product_ids, [VIDEO, SUITE]);
        assert_eq!(result.revoked_product_ids, [NOTES]);
        assert_eq!(held(result), [SUITE, VIDEO]);
    }
    customer.assert_seats(NOTES, 0, 2).await;
    customer.assert_seats(VIDEO, 2, 0).await;
    customer.assert_seats(SUITE, 2, 0).await;
}

async fn s33_one_save_gives_with_plans_takes_and_leaves_alone(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(6).await;
    for product in [NOTES, SUITE, VIDEO, VOICE] {
        customer.set_seats(product, 6).await;
    }
    customer.give(&[NOTES], &user_ids(6)).await;
    customer.give(&[VIDEO], &user_ids(2)).await;
    let selection = these(0..4);
    // SUITE with two plans, VOICE with all, no more NOTES; VIDEO is not touched.
    let mut chosen = assign_plans(SUITE, only(&[MAIL, CHAT]));
    chosen.assign.extend(assign(&[VOICE]).assign);
    chosen.revoke_product_ids = vec![NOTES.to_owned()];

    let count = customer.batches().await.len();
    let saved = customer.save(chosen, selection.clone()).await;
    assert_eq!(saved.counts(), (4, 0, 0));
    assert_eq!(customer.batches().await.len(), count + 1, "one batch");
    for (product, expected) in [
        (SUITE, (4, Coverage::All)),
        (VOICE, (4, Coverage::All)),
        (NOTES, (0, Coverage::None)),
        (VIDEO, (2, Coverage::Some)),
    ] {
        let held = customer.held_of(&selection, product).await;
        assert_eq!(told(&held), expected, "{product}");
    }
    let suite = holdings::plans(&customer.held_of(&selection, SUITE).await);
    let on = [suite["MAIL"], suite["CHAT"], suite["DRIVE"]];
    assert_eq!(
        on,
        [(4, Coverage::All), (4, Coverage::All), (0, Coverage::None)]
    );
    let voice = holdings::plans(&customer.held_of(&selection, VOICE).await);
    assert_eq!(voice["VOICE"], (4, Coverage::All));
    // Who was not selected is as before.
    assert_eq!(customer.products_of(&user_id(4)).await, [NOTES]);
    customer.assert_seats(NOTES, 2, 4).await;
    customer.assert_seats(VIDEO, 2, 4).await;
}

async fn s34_a_product_that_is_not_named_stays_as_it_is(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(4).await;
    for product in [NOTES, VIDEO, VOICE] {
        customer.set_seats(product, 4).await;
    }
    // Some hold it.
    customer.give(&[VOICE], &user_ids(2)).await;
    customer.give(&[NOTES], &user_ids(4)).await;
    let before = customer.assignments_of(&user_id(0)).await;

    customer.run(change(&[VIDEO], &[NOTES]), &user_ids(4)).await;
    for (number, user) in user_ids(4).iter().enumerate() {
        let expected = if number < 2 {
            vec![VOICE, VIDEO]
        } else {
            vec![VIDEO]
        };
        assert_eq!(customer.products_of(user).await, expected);
    }
    let after = customer.assignments_of(&user_id(0)).await;
    assert_eq!(after[0].product_id, VOICE);
    assert!(before.contains(&after[0]), "not even its batch or time");
    customer.assert_seats(VOICE, 2, 2).await;
}

async fn s36_a_single_user_works_like_many(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    for product in [NOTES, VIDEO, VOICE] {
        customer.set_seats(product, 1).await;
    }
    let user = [user_id(0)];
    customer.give(&[NOTES, VOICE], &user).await;
    let results = customer.run(change(&[VIDEO], &[NOTES]), &user).await;
    assert_applied(&results[0]);
    assert_eq!(results[0].assigned_product_ids, [VIDEO]);
    assert_eq!(results[0].revoked_product_ids, [NOTES]);
    assert_eq!(held(&results[0]), [VOICE, VIDEO]);
    assert_eq!(customer.products_of(&user[0]).await, [VOICE, VIDEO]);

    // The same through a selection of one.
    let saved = customer.save(change(&[NOTES], &[VOICE]), these([0])).await;
    let results = saved.by_index();
    assert_eq!(results.len(), 1);
    assert_applied(&results[0]);
    assert_eq!(held(&results[0]), [NOTES, VIDEO]);
}

on_every_engine![
    s02_one_call_serves_one_user_or_many_of_one_customer,
    s03_a_revoke_takes_the_product_and_the_seat_comes_back,
    s20_a_product_that_some_hold_ends_with_all,
    s22_several_products_are_assigned_in_one_call,
    s23_plans_are_chosen_per_product,
    s23_all_plans_except_some_can_be_chosen,
    s24_without_a_choice_all_plans_are_on,
    s25_one_call_applies_the_whole_set,
    s31_users_of_several_pages_lose_a_product,
    s32_users_without_the_product_stay_as_they_are,
    s32_revoking_what_is_not_held_is_no_error,
    s33_one_call_assigns_some_products_and_revokes_others,
    s33_one_save_gives_with_plans_takes_and_leaves_alone,
    s34_a_product_that_is_not_named_stays_as_it_is,
    s36_a_single_user_works_like_many,
];
