//! Requests of the largest sizes: 100,000 users in one message, and more in several.

use std::time::{Duration, Instant};

use seatwise_client::v1::ExecuteBatchRequest;

use crate::customer::{Customer, Outcome};
use crate::fixtures::product::NOTES;
use crate::fixtures::{assign, user_ids};
use crate::harness::{Harness, on_every_engine};

/// Users who exist; the others of a request are refused, which costs as much to read and to tell.
const USERS: usize = 2_000;
const TIME_MAX: Duration = Duration::from_secs(60);

async fn a_hundred_thousand_users_fit_one_message(server: &Harness) {
    let customer = customer_with_seats(server).await;
    let request = customer.request(assign(&[NOTES]), user_ids(100_000));
    let first = assert_executed(&customer, request.clone(), 100_000).await;

    let again = customer.execute(request).await;
    assert!(again.replayed);
    assert_eq!(again.bytes(), first.bytes());
}

async fn more_users_go_in_several_messages_by_themselves(server: &Harness) {
    let customer = customer_with_seats(server).await;
    let request = customer.request(assign(&[NOTES]), user_ids(150_000));
    assert_executed(&customer, request, 150_000).await;
}

async fn customer_with_seats(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(NOTES, USERS as i32).await;
    customer
}

async fn assert_executed(
    customer: &Customer,
    request: ExecuteBatchRequest,
    users: usize,
) -> Outcome {
    let start = Instant::now();
    let outcome = customer.execute(request).await;
    let took = start.elapsed();
    println!("{users} users took {took:?}");
    assert!(took < TIME_MAX, "{took:?}");
    let failed = i32::try_from(users - USERS).expect("few");
    assert_eq!(outcome.counts(), (USERS as i32, 0, failed));
    customer.assert_seats(NOTES, USERS as i32, 0).await;
    outcome
}

on_every_engine![
    a_hundred_thousand_users_fit_one_message,
    more_users_go_in_several_messages_by_themselves,
];
