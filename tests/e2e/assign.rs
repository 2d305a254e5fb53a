//! Assigning: what the page it replaces does, item by item (S2 and S12 to S36 of the checklist).

use seatwise_client::v1::ImportedUser;
use seatwise_client::v1::ReasonCode::{
    MutuallyExclusivePlans, SeatsExhausted, UsageLocationMissing, UserNotFound,
};
use seatwise_client::v1::batch_result::Disposition;

use crate::customer::{assert_applied, assert_failed, assert_unchanged, held, imported_user};
use crate::fixtures::product::{MAILBOX, NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{assign, change, user_id, user_ids};
use crate::harness::{BUY_MORE_URL, Harness, on_every_engine};

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
}

async fn s12_every_license_is_listed_with_its_available_seats(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(NOTES, 10).await;
    customer.set_seats(VIDEO, 3).await;
    customer.set_seats(SUITE, 0).await;
    customer.give(&[NOTES, VIDEO], &user_ids(3)).await;

    let licenses = customer.licenses().await;
    let seats: Vec<_> = licenses
        .iter()
        .map(|l| (l.string_id.as_str(), l.total(), l.assigned(), l.available()))
        .collect();
    let expected = [("SUITE", 0, 0, 0), ("NOTES", 10, 3, 7), ("VIDEO", 3, 3, 0)];
    assert_eq!(seats, expected);
}

async fn s19_a_license_without_available_seats_says_buy_more(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(NOTES, 2).await;
    customer.give(&[NOTES], &[user_id(0)]).await;
    let license = customer.license(NOTES).await;
    assert!(!license.buy_more());
    assert_eq!(license.buy_more_url, "");

    customer.give(&[NOTES], &[user_id(1)]).await;
    let full = customer.license(NOTES).await;
    assert!(full.buy_more());
    assert_eq!(full.buy_more_url, BUY_MORE_URL);

    // A cut leaves the holders alone; less than nothing is available then.
    let cut = customer.set_seats(NOTES, 1).await;
    assert_eq!(cut.available(), -1);
    assert!(cut.buy_more());
    customer.assert_seats(NOTES, 2, -1).await;
}

async fn s20_a_product_that_some_hold_ends_with_all(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(6).await;
    customer.set_seats(NOTES, 10).await;
    customer.give(&[NOTES], &user_ids(2)).await;

    let results = customer.assign(&[NOTES], &user_ids(6)).await;
    results[..2].iter().for_each(assert_unchanged);
    results[2..].iter().for_each(assert_applied);
    for user in user_ids(6) {
        assert_eq!(customer.products_of(&user).await, [NOTES]);
    }
    customer.assert_seats(NOTES, 6, 4).await;
}

async fn s21_seats_are_needed_only_for_users_who_do_not_hold_the_product(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(10).await;
    customer.set_seats(NOTES, 10).await;
    customer.give(&[NOTES], &user_ids(4)).await;

    // Six are needed and five are there: all but the last one are served.
    customer.set_seats(NOTES, 9).await;
    let results = customer.assign(&[NOTES], &user_ids(10)).await;
    results[..4].iter().for_each(assert_unchanged);
    results[4..9].iter().for_each(assert_applied);
    assert_failed(&results[9], &[SeatsExhausted]);
    assert_eq!(results[9].reasons[0].available(), 0);
    customer.assert_seats(NOTES, 9, 0).await;

    // One more is enough, and holders need none.
    customer.set_seats(NOTES, 10).await;
    let results = customer.assign(&[NOTES], &user_ids(10)).await;
    results[..9].iter().for_each(assert_unchanged);
    assert_applied(&results[9]);
    customer.assert_seats(NOTES, 10, 0).await;
}

async fn s21_enough_seats_are_needed_for_each_product(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(NOTES, 2).await;
    customer.set_seats(VIDEO, 3).await;

    // The third user gets neither: a user ends with all of a change or with none.
    let results = customer.assign(&[NOTES, VIDEO], &user_ids(3)).await;
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
    customer.assert_seats(NOTES, 2, 0).await;
    customer.assert_seats(VIDEO, 2, 1).await;
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
}

async fn a_user_is_named_by_id_or_principal_name_in_any_case(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.import(vec![named("Éva.Straße@Example.hu")]).await;
    customer.set_seats(NOTES, 4).await;
    let users = [
        user_id(0).to_uppercase(),
        "user1@example.com".to_owned(),
        "USER2@Example.COM".to_owned(),
        // Composed otherwise, in capitals.
        "E\u{301}VA.STRASSE@EXAMPLE.HU".to_owned(),
    ];
    let results = customer.assign(&[NOTES], &users).await;
    results.iter().for_each(assert_applied);
    let users: Vec<_> = results.iter().map(|result| &result.user_id).collect();
    assert_eq!(users[..3], [&user_id(0), &user_id(1), &user_id(2)]);
    assert_eq!(results[3].principal_name, "Éva.Straße@Example.hu");
    customer.assert_seats(NOTES, 4, 0).await;
}

async fn each_user_can_have_a_change_of_its_own(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    for product in [NOTES, VIDEO] {
        customer.set_seats(product, 3).await;
    }
    customer.give(&[VIDEO], &[user_id(1)]).await;
    let request = customer.own_changes([
        (user_id(0), assign(&[NOTES])),
        (user_id(1), change(&[NOTES], &[VIDEO])),
        ("user2@example.com".to_owned(), assign(&[VIDEO])),
    ]);
    let results = customer.execute(request).await.by_index();
    let held: Vec<_> = results.iter().map(held).collect();
    assert_eq!(held, [[NOTES], [NOTES], [VIDEO]]);
    customer.assert_seats(NOTES, 2, 1).await;
    customer.assert_seats(VIDEO, 1, 2).await;
}

async fn a_change_that_is_so_already_is_a_success(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(NOTES, 2).await;
    customer.give(&[NOTES], &user_ids(2)).await;
    let request = customer.request(assign(&[NOTES]), user_ids(2));
    let outcome = customer.client.batch(request).collect().await;
    let results = outcome.expect("the batch ends").into_result();
    let results = results.expect("no user failed");
    for result in &results {
        assert_eq!(result.disposition(), Disposition::Unchanged);
        assert_eq!(held(result), [NOTES]);
    }
    customer.assert_seats(NOTES, 2, 0).await;
}

fn nowhere(user: ImportedUser) -> ImportedUser {
    ImportedUser {
        usage_location: Some(String::new()),
        ..user
    }
}

fn named(principal_name: &str) -> ImportedUser {
    ImportedUser {
        principal_name: principal_name.to_owned(),
        ..imported_user(100)
    }
}

on_every_engine![
    s02_one_call_serves_one_user_or_many_of_one_customer,
    s12_every_license_is_listed_with_its_available_seats,
    s19_a_license_without_available_seats_says_buy_more,
    s20_a_product_that_some_hold_ends_with_all,
    s21_seats_are_needed_only_for_users_who_do_not_hold_the_product,
    s21_enough_seats_are_needed_for_each_product,
    s22_several_products_are_assigned_in_one_call,
    s25_one_call_applies_the_whole_set,
    s26_the_confirmation_lists_each_user_and_its_licenses,
    s30_the_confirmation_shows_successes_and_failures_together,
    s35_available_seats_follow_each_call,
    s36_a_single_user_works_like_many,
    a_user_is_named_by_id_or_principal_name_in_any_case,
    each_user_can_have_a_change_of_its_own,
    a_change_that_is_so_already_is_a_success,
];
