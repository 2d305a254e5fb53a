//! Assigning beyond the `page`: names, changes per user, repetition.

use seatwise_client::v1::ImportedUser;
use seatwise_client::v1::batch_result::Disposition;

use crate::customer::{assert_applied, held, imported_user};
use crate::fixtures::product::{NOTES, VIDEO};
use crate::fixtures::{assign, change, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};

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

fn named(principal_name: &str) -> ImportedUser {
    ImportedUser {
        principal_name: principal_name.to_owned(),
        ..imported_user(100)
    }
}

on_every_engine![
    a_user_is_named_by_id_or_principal_name_in_any_case,
    each_user_can_have_a_change_of_its_own,
    a_change_that_is_so_already_is_a_success,
];
