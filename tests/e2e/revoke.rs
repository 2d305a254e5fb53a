//! Revoking, and calls that assign and revoke at once.

use seatwise_client::v1::DeleteUserRequest;
use seatwise_client::v1::ReasonCode::{DependentPlanRemains, SeatsExhausted};
use seatwise_client::v1::user::State;

use crate::customer::{assert_applied, assert_failed, held, imported_user};
use crate::fixtures::product::{MAILBOX, NOTES, PHONE, SUITE, VIDEO, VOICE};
use crate::fixtures::{change, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};

async fn two_products_that_exclude_each_other_are_swapped_in_one_step(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    customer.set_seats(SUITE, 1).await;
    customer.set_seats(MAILBOX, 1).await;
    customer.give(&[SUITE], &user_ids(1)).await;
    let results = customer
        .run(change(&[MAILBOX], &[SUITE]), &user_ids(1))
        .await;
    assert_applied(&results[0]);
    assert_eq!(held(&results[0]), [MAILBOX]);
    let results = customer
        .run(change(&[SUITE], &[MAILBOX]), &user_ids(1))
        .await;
    assert_applied(&results[0]);
    assert_eq!(held(&results[0]), [SUITE]);
}

async fn an_inactive_user_can_lose_and_not_gain(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    customer.set_seats(NOTES, 1).await;
    customer.give(&[NOTES], &user_ids(1)).await;
    let mut user = imported_user(0);
    user.state = State::Inactive.into();
    user.usage_location = Some(String::new());
    customer.import(vec![user]).await;

    let results = customer.revoke(&[NOTES], &user_ids(1)).await;
    assert_applied(&results[0]);
    customer.assert_seats(NOTES, 0, 1).await;
}

async fn a_revoke_must_not_strand_a_dependent(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    for product in [PHONE, VOICE, SUITE] {
        customer.set_seats(product, 1).await;
    }
    customer.give(&[PHONE, VOICE], &user_ids(1)).await;
    let results = customer.revoke(&[VOICE], &user_ids(1)).await;
    assert_failed(&results[0], &[DependentPlanRemains]);
    assert_eq!(held(&results[0]), [PHONE, VOICE]);

    // Another prerequisite in the same step will do; so will taking the dependent as well.
    let results = customer.run(change(&[SUITE], &[VOICE]), &user_ids(1)).await;
    assert_applied(&results[0]);
    let results = customer.revoke(&[SUITE, PHONE], &user_ids(1)).await;
    assert_applied(&results[0]);
    assert_eq!(held(&results[0]), [""; 0]);
}

async fn a_deleted_user_frees_its_seats(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(NOTES, 1).await;
    customer.set_seats(VIDEO, 1).await;
    customer.give(&[NOTES, VIDEO], &[user_id(0)]).await;
    let refused = customer.assign(&[NOTES], &[user_id(1)]).await;
    assert_failed(&refused[0], &[SeatsExhausted]);

    let request = DeleteUserRequest {
        customer_id: customer.id.clone(),
        user: "USER0@example.com".to_owned(),
        etag: String::new(),
        comment: String::new(),
    };
    let deleted = customer.client.delete_user(request).await;
    let deleted = deleted.expect("the user is deleted");
    assert_eq!(deleted.user_id, user_id(0));
    assert_eq!(deleted.freed_product_ids, [NOTES, VIDEO]);
    customer.assert_seats(NOTES, 0, 1).await;
    customer.assert_seats(VIDEO, 0, 1).await;
    customer.give(&[NOTES], &[user_id(1)]).await;
}

on_every_engine![
    two_products_that_exclude_each_other_are_swapped_in_one_step,
    an_inactive_user_can_lose_and_not_gain,
    a_revoke_must_not_strand_a_dependent,
    a_deleted_user_frees_its_seats,
];
