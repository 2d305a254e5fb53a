//! What becomes of a save: whether there are seats enough, and what the confirmation says.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::ReasonCode::{
    MutuallyExclusivePlans, SeatsExhausted, UsageLocationMissing, UserNotFound,
};
use seatwise_client::v1::batch_options::Capacity;
use seatwise_client::v1::{
    BatchOptions, ImportedUser, License, Reason, ReasonCode as Code, SeatChange, SeatCount,
};
use seatwise_client::{Code as Grpc, Error};

use super::these;
use crate::customer::{
    Outcome, assert_applied, assert_failed, assert_unchanged, held, imported_user, read,
};
use crate::fixtures::product::{DIAL, MAILBOX, NOTES, PHONE, SUITE, VIDEO, VOICE};
use crate::fixtures::{
    all_except, assign, assign_plans, change, only, plan, revoke, user_id, user_ids,
};
use crate::harness::{Harness, on_every_engine};
use crate::plans::customer_with_suite;
use crate::reasons::{
    assert_refused, chat_or_voice, customer_with_everything, located, plan_ref, product_ref, reason,
};

/// Four seats are free, and two of the selected users hold one: those need none.
async fn s21_one_user_more_than_there_are_seats_is_one_short(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(7).await;
    customer.set_seats(NOTES, 6).await;
    customer.give(&[NOTES], &user_ids(2)).await;
    let (enough, one_more) = (these(0..6), these(0..7));
    let state = async || {
        (
            customer.assignments().await,
            customer.licenses().await,
            customer.batches().await,
        )
    };
    let before = state().await;

    // Asked for all or nothing, one more is refused with what is missing.
    let mut strict = customer.over(assign(&[NOTES]), one_more.clone());
    strict.options = refuse_if_short();
    let error = read(customer.client.batch(strict)).await;
    assert_one_short(&error.expect_err("one is missing"));
    assert_eq!(state().await, before);

    // Asked beforehand, it is the last user who would be refused.
    let request = customer.over(assign(&[NOTES]), one_more);
    let preview = read(customer.client.preview(request.clone())).await;
    assert_last_is_short(&preview.expect("a preview"));
    assert_eq!(state().await, before);
    assert_last_is_short(&customer.execute(request).await);
    customer.assert_seats(NOTES, 6, 0).await;

    // As many as there are seats find one.
    customer.save(revoke(&[NOTES]), these(2..6)).await;
    customer.assert_seats(NOTES, 2, 4).await;
    let mut strict = customer.over(assign(&[NOTES]), enough);
    strict.options = refuse_if_short();
    let saved = customer.execute(strict).await;
    assert_eq!(saved.counts(), (4, 2, 0));
    assert_eq!(saved.summary.seats[0].shortage(), 0);
    customer.assert_seats(NOTES, 6, 0).await;
}

fn refuse_if_short() -> Option<BatchOptions> {
    Some(BatchOptions {
        capacity: Capacity::RefuseIfShort.into(),
        ..BatchOptions::default()
    })
}

fn assert_one_short(error: &Error) {
    assert_eq!(error.reason, ErrorReason::SeatsShort, "{error:?}");
    assert_eq!(error.code, Grpc::FailedPrecondition);
    let told = |key: &str| error.metadata.get(key).map(String::as_str);
    assert_eq!(told("missing"), Some("1"), "{error:?}");
    assert_eq!(told("productId"), Some(NOTES));
    assert_eq!(told("product"), Some("Notes"));
    assert_eq!(told("products"), Some("1"));
}

fn assert_last_is_short(outcome: &Outcome) {
    let results = outcome.by_index();
    results[..2].iter().for_each(assert_unchanged);
    results[2..6].iter().for_each(assert_applied);
    assert_failed(&results[6], &[SeatsExhausted]);
    assert_eq!(results[6].reasons[0].available(), 0);
    let seats = &outcome.summary.seats;
    assert_eq!(seats.len(), 1);
    assert_eq!(seats[0].shortage(), 1);
    assert_eq!(seats[0].before, seat_count(6, 2));
    assert_eq!(seats[0].after, seat_count(6, 6));
}

fn seat_count(total: i32, assigned: i32) -> Option<SeatCount> {
    Some(SeatCount {
        total: Some(total),
        assigned: Some(assigned),
        available: Some(total - assigned),
    })
}

async fn s21_enough_seats_are_needed_for_each_product(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(NOTES, 2).await;
    customer.set_seats(VIDEO, 3).await;

    // The third user gets neither: a user ends with all of a change or with none.
    let saved = customer.save(assign(&[NOTES, VIDEO]), these(0..3)).await;
    let results = saved.by_index();
    results[..2].iter().for_each(assert_applied);
    assert_failed(&results[2], &[SeatsExhausted]);
    assert_eq!(
        results[2].reasons[0]
            .product
            .as_ref()
            .expect("a product")
            .product_id,
        NOTES
    );
    let shortages = saved.summary.seats.iter().map(SeatChange::shortage);
    assert_eq!(shortages.collect::<Vec<_>>(), [1, 0]);
    customer.assert_seats(NOTES, 2, 0).await;
    customer.assert_seats(VIDEO, 2, 1).await;
}

async fn s26_the_confirmation_lists_each_user_and_its_licenses(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(NOTES, 5).await;
    customer.set_seats(VIDEO, 5).await;
    customer.give(&[VIDEO], &[user_id(1)]).await;

    let results = customer.assign(&[NOTES], &user_ids(2)).await;
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result.index(), number as i32);
        assert_eq!(result.user_id, user_id(number));
        assert_eq!(result.principal_name, format!("user{number}@example.com"));
        assert_eq!(result.display_name, format!("User {number}"));
        assert_eq!(result.assigned_product_ids, [NOTES]);
        assert!(result.commit_time.is_some());
        assert!((1..=64).contains(&result.cursor.len()));
    }
    assert_eq!(held(&results[0]), [NOTES]);
    assert_eq!(held(&results[1]), [NOTES, VIDEO]);
}

async fn s26_the_confirmation_shows_the_plans_that_were_chosen(server: &Harness) {
    let customer = customer_with_suite(server).await;
    customer.give(&[NOTES], &[user_id(1)]).await;
    let chosen = only(&[plan::MAIL, plan::DRIVE]);
    let saved = customer
        .save(assign_plans(SUITE, chosen.clone()), these(0..2))
        .await;
    let shown: Vec<Vec<_>> = saved
        .by_index()
        .into_iter()
        .map(|result| {
            let held = result.held.into_iter();
            held.map(|held| (held.product_id, held.plans)).collect()
        })
        .collect();
    let suite = (SUITE.to_owned(), Some(chosen));
    let notes = (NOTES.to_owned(), None);
    assert_eq!(shown, [vec![suite.clone()], vec![suite, notes]]);
}

async fn s27_a_plan_that_is_prohibited_in_the_users_location_is_reported(server: &Harness) {
    let customer = customer_with_everything(server).await;
    customer.import(vec![located(0, "us")]).await;
    let reason = Reason {
        plan: plan_ref(plan::DOMESTIC, "DOMESTIC"),
        usage_location: "US".to_owned(),
        ..reason(Code::UsageLocationProhibited)
    };
    assert_refused(&customer, &[DIAL], &[], reason).await;
    customer.import(vec![located(0, "DE")]).await;
    customer.give(&[DIAL], &[user_id(0)]).await;
}

async fn s27_a_user_without_a_location_gets_nothing_new(server: &Harness) {
    let customer = customer_with_everything(server).await;
    customer.give(&[SUITE], &[user_id(0)]).await;
    customer.import(vec![located(0, "")]).await;
    let missing = reason(Code::UsageLocationMissing);
    assert_refused(&customer, &[NOTES], &[], missing).await;

    // What the user holds can still be changed.
    let change = assign_plans(SUITE, all_except(&[plan::CHAT]));
    let results = customer.run(change, &[user_id(0)]).await;
    assert_applied(&results[0]);
}

async fn s28_a_plan_without_its_prerequisite_is_reported(server: &Harness) {
    let customer = customer_with_everything(server).await;
    let suppliers = [product_ref(SUITE, "Suite"), product_ref(VOICE, "Voice")];
    let reason = Reason {
        plan: plan_ref(plan::CALLS, "CALLS"),
        others: chat_or_voice(),
        suppliers: suppliers.into_iter().flatten().collect(),
        ..reason(Code::PrerequisiteMissing)
    };
    assert_refused(&customer, &[PHONE], &[], reason).await;
    customer.give(&[PHONE, VOICE], &[user_id(0)]).await;
}

async fn s28_a_plan_that_would_lose_its_prerequisite_is_reported(server: &Harness) {
    let customer = customer_with_everything(server).await;
    customer.give(&[PHONE, SUITE], &[user_id(0)]).await;
    let reason = Reason {
        plan: plan_ref(plan::CALLS, "CALLS"),
        others: chat_or_voice(),
        ..reason(Code::DependentPlanRemains)
    };
    assert_refused(&customer, &[], &[SUITE], reason.clone()).await;

    // Turning the plan off is the same as taking the product.
    let change = assign_plans(SUITE, all_except(&[plan::CHAT]));
    let results = customer.run(change, &[user_id(0)]).await;
    assert_eq!(results[0].reasons, [reason]);
}

async fn s29_plans_that_exclude_each_other_are_reported(server: &Harness) {
    let customer = customer_with_everything(server).await;
    let reason = Reason {
        plan: plan_ref(plan::MAIL, "MAIL"),
        others: vec![plan_ref(plan::MAIL_BASIC, "MAIL_BASIC").expect("a plan")],
        ..reason(Code::MutuallyExclusivePlans)
    };
    assert_refused(&customer, &[SUITE, MAILBOX], &[], reason.clone()).await;
    customer.give(&[MAILBOX], &[user_id(0)]).await;
    assert_refused(&customer, &[SUITE], &[], reason).await;

    // Without the plan there is no contradiction.
    let change = assign_plans(SUITE, all_except(&[plan::MAIL]));
    let results = customer.run(change, &[user_id(0)]).await;
    assert_applied(&results[0]);
}

async fn s30_the_confirmation_shows_successes_and_failures_together(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(4).await;
    customer.import(vec![nowhere(imported_user(2))]).await;
    customer.set_seats(SUITE, 3).await;
    customer.set_seats(MAILBOX, 1).await;
    customer.give(&[MAILBOX], &[user_id(1)]).await;
    customer.give(&[SUITE], &[user_id(3)]).await;

    let users = [user_ids(4), vec!["nobody@example.com".to_owned()]].concat();
    let outcome = customer
        .execute(customer.request(assign(&[SUITE]), users))
        .await;
    let results = outcome.by_index();
    assert_applied(&results[0]);
    assert_failed(&results[1], &[MutuallyExclusivePlans]);
    assert_failed(&results[2], &[UsageLocationMissing]);
    assert_unchanged(&results[3]);
    assert_failed(&results[4], &[UserNotFound]);
    assert_eq!(outcome.counts(), (1, 1, 3));
    let counted = outcome.summary.reasons.iter();
    let counted: Vec<_> = counted.map(|r| (r.code(), r.user_count())).collect();
    let expected = [MutuallyExclusivePlans, UsageLocationMissing, UserNotFound];
    assert_eq!(counted, expected.map(|code| (code, 1)));

    // Who was refused is as before.
    assert_eq!(held(&results[1]), [MAILBOX]);
    assert_eq!(customer.products_of(&user_id(1)).await, [MAILBOX]);
    assert_eq!(customer.products_of(&user_id(2)).await, [""; 0]);
    customer.assert_seats(SUITE, 2, 1).await;
}

async fn s35_available_seats_follow_each_call(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(NOTES, 5).await;
    let before = customer.license(NOTES).await;

    customer.give(&[NOTES], &user_ids(3)).await;
    customer.assert_seats(NOTES, 3, 2).await;
    customer.revoke(&[NOTES], &user_ids(2)).await;
    customer.assert_seats(NOTES, 1, 4).await;
    let after = customer.license(NOTES).await;
    assert_eq!(after.etag, before.etag, "only seat numbers change the etag");
    assert_eq!(after.total(), 5);
}

async fn s35_the_confirmation_counts_the_seats_as_the_licenses_do(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(4).await;
    for (product, seats) in [(SUITE, 4), (NOTES, 3), (VIDEO, 5)] {
        customer.set_seats(product, seats).await;
    }
    customer.give(&[SUITE], &user_ids(1)).await;
    customer.give(&[NOTES], &user_ids(3)).await;
    let before = [customer.license(NOTES).await, customer.license(VIDEO).await];
    let saved = customer.save(change(&[VIDEO], &[NOTES]), these(1..4)).await;
    let after = [customer.license(NOTES).await, customer.license(VIDEO).await];

    // Only what the save is about.
    let seats = &saved.summary.seats;
    assert_eq!(seats.len(), 2);
    for (number, product) in [NOTES, VIDEO].into_iter().enumerate() {
        let told = &seats[number];
        assert_eq!(
            told.product.as_ref().expect("a product").product_id,
            product
        );
        assert_eq!(told.before, seats_of(&before[number]));
        assert_eq!(told.after, seats_of(&after[number]));
    }
    assert_eq!(seats[0].after, seat_count(3, 1));
    assert_eq!(seats[1].after, seat_count(5, 3));
}

fn seats_of(license: &License) -> Option<SeatCount> {
    Some(SeatCount {
        total: license.total,
        assigned: license.assigned,
        available: license.available,
    })
}

fn nowhere(user: ImportedUser) -> ImportedUser {
    ImportedUser {
        usage_location: Some(String::new()),
        ..user
    }
}

on_every_engine![
    s21_one_user_more_than_there_are_seats_is_one_short,
    s21_enough_seats_are_needed_for_each_product,
    s26_the_confirmation_lists_each_user_and_its_licenses,
    s26_the_confirmation_shows_the_plans_that_were_chosen,
    s27_a_plan_that_is_prohibited_in_the_users_location_is_reported,
    s27_a_user_without_a_location_gets_nothing_new,
    s28_a_plan_without_its_prerequisite_is_reported,
    s28_a_plan_that_would_lose_its_prerequisite_is_reported,
    s29_plans_that_exclude_each_other_are_reported,
    s30_the_confirmation_shows_successes_and_failures_together,
    s35_available_seats_follow_each_call,
    s35_the_confirmation_counts_the_seats_as_the_licenses_do,
];
