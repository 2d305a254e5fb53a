//! Guards: what takes away more than may be taken unasked is confirmed by what a preview, or the
//! refusal, returned.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::{
    ExecuteBatchRequest, RequiredConfirmation, RevocationGuard, UpdateCustomerRequest,
};
use seatwise_client::{Code, Error};

use super::all_counts;
use crate::customer::{Customer, read};
use crate::fixtures::product::{NOTES, VIDEO};
use crate::fixtures::{assign, change, revoke, user_ids};
use crate::harness::{Harness, on_every_engine};

async fn set(customer: &Customer, users: Option<i32>, percent: Option<i32>) -> Result<(), Error> {
    let guard = RevocationGuard {
        users_max: users,
        license_percent_max: percent,
    };
    let request = UpdateCustomerRequest {
        customer_id: customer.id.clone(),
        revocation_guard: Some(guard),
        ..UpdateCustomerRequest::default()
    };
    let updated = customer.client.update_customer(request).await?;
    let is_none = users.is_none() && percent.is_none();
    assert_eq!(updated.revocation_guard, (!is_none).then_some(guard));
    Ok(())
}

/// Ten users hold NOTES, four of them VIDEO.
async fn prepare(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(10).await;
    for product in [NOTES, VIDEO] {
        customer.set_seats(product, 10).await;
    }
    customer.give(&[NOTES], &user_ids(10)).await;
    customer.give(&[VIDEO], &user_ids(4)).await;
    customer
}

async fn required(customer: &Customer, request: &ExecuteBatchRequest) -> RequiredConfirmation {
    let before = customer.state().await;
    let error = read(customer.client.batch(request.clone())).await;
    let error = error.expect_err("has to be confirmed");
    assert_eq!(error.reason, ErrorReason::ConfirmationRequired, "{error:?}");
    assert_eq!(error.code, Code::FailedPrecondition);
    assert_eq!(customer.state().await, before, "had an effect");
    let preview = customer.preview(request).await;
    let required = preview.summary.required_confirmation.expect("required");
    assert_eq!(error.metadata["confirmation"], required.confirmation);
    assert_eq!(
        error.metadata["users"],
        required.user_count.expect("a count").to_string()
    );
    required
}

async fn a_batch_beyond_the_guard_is_confirmed(server: &Harness) {
    let customer = prepare(server).await;
    let request = customer.request(change(&[], &[NOTES, VIDEO]), user_ids(5));
    let preview = customer.preview(&request).await;
    assert_eq!(preview.summary.required_confirmation, None);

    set(&customer, Some(4), None).await.expect("a guard");
    let needed = required(&customer, &request).await;
    let lost = |required: &RequiredConfirmation| -> Vec<_> {
        let products = required.products.iter();
        products
            .map(|loss| {
                let product = loss.product.clone().expect("a product");
                (product.product_id, loss.lost_count, loss.holder_count)
            })
            .collect()
    };
    let mut expected = vec![
        (NOTES.to_owned(), Some(5), Some(10)),
        (VIDEO.to_owned(), Some(4), Some(4)),
    ];
    expected.sort();
    assert_eq!(lost(&needed), expected);
    assert_eq!(needed.user_count, Some(5));

    // It confirms this and nothing else.
    let confirmed = |request: &ExecuteBatchRequest| ExecuteBatchRequest {
        confirmation: needed.confirmation.clone(),
        ..request.clone()
    };
    let other = customer.request(change(&[], &[NOTES]), user_ids(5));
    required(&customer, &confirmed(&other)).await;
    customer.run(revoke(&[VIDEO]), &user_ids(1)).await;
    let now = required(&customer, &confirmed(&request)).await;
    assert_ne!(now.confirmation, needed.confirmation);
    let mut garbage = request.clone();
    garbage.confirmation = "yes".to_owned();
    let error = read(customer.client.batch(garbage)).await;
    let error = error.expect_err("no confirmation");
    assert_eq!(error.reason, ErrorReason::InvalidField);
    assert_eq!(error.metadata["field"], "confirmation");

    let mut last = request.clone();
    last.confirmation = now.confirmation;
    let preview = customer.preview(&last).await;
    assert_eq!(preview.summary.required_confirmation, None);
    let run = customer.outcome(&last).await;
    assert_eq!(all_counts(&run.batch), (5, 0, 0, 0));
    // The same request again executes nothing, so nothing has to be confirmed.
    let again = customer.outcome(&request).await;
    assert_eq!(again.batch.batch_id, run.batch.batch_id);
}

async fn a_guard_is_set_within_its_limits(server: &Harness) {
    let customer = prepare(server).await;
    for (users, percent, field) in [
        (Some(-1), None, "users_max"),
        (Some(1_000_001), Some(1), "users_max"),
        (None, Some(101), "license_percent_max"),
        (Some(0), Some(-1), "license_percent_max"),
    ] {
        let error = set(&customer, users, percent).await.expect_err("refused");
        assert_eq!(error.metadata["field"], format!("revocation_guard.{field}"));
    }
    for (users, percent) in [
        (Some(0), Some(0)),
        (Some(1_000_000), Some(100)),
        (None, None),
    ] {
        set(&customer, users, percent).await.expect("set");
    }
    // Nothing is asked about what only gives, or takes nothing.
    set(&customer, Some(0), Some(0)).await.expect("set");
    customer.run(assign(&[VIDEO]), &user_ids(10)).await;
}

on_every_engine![
    a_batch_beyond_the_guard_is_confirmed,
    a_guard_is_set_within_its_limits,
];
