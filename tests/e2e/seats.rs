//! Seats: none is given out twice, none is refused that is there, and order decides when they are
//! short.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use seatwise_client::Client;
use seatwise_client::v1::ReasonCode::SeatsExhausted;
use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::{BatchResult, Change, GetCustomerRequest};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::customer::{Customer, assert_applied, assert_failed, assert_unchanged, read};
use crate::fixtures::product::{MAILBOX, NOTES, SUITE, VIDEO};
use crate::fixtures::{assign, change, revoke, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};

const RACERS: usize = 200;
const SEATS: usize = 50;
const ROUNDS: usize = 20;
/// Users between two others so that they are never in one chunk (64 and 500).
const CHUNKS_APART: usize = 600;

async fn two_hundred_clients_race_for_fifty_seats(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(RACERS).await;
    customer.set_seats(NOTES, SEATS as i32).await;
    let clients = connect(server, &customer).await;
    for round in 0..ROUNDS {
        let race = race(&clients, &customer).await;
        let (won, lost): (Vec<_>, Vec<_>) = race
            .results
            .iter()
            .partition(|result| result.disposition() == Disposition::Applied);
        assert!(
            race.in_flight_max >= 50,
            "only {} at once",
            race.in_flight_max
        );
        assert_eq!(won.len(), SEATS, "round {round}");
        for result in lost {
            assert_failed(result, &[SeatsExhausted]);
            assert_eq!(result.reasons[0].available(), 0);
        }
        customer.assert_seats(NOTES, SEATS as i32, 0).await;
        let winners: BTreeSet<_> = won.iter().map(|result| &result.user_id).collect();
        let holders = customer.assignments().await;
        let holders: BTreeSet<_> = holders.iter().map(|held| &held.user_id).collect();
        assert_eq!(winners, holders, "who was told so holds the product");

        let winners: Vec<_> = winners.into_iter().cloned().collect();
        customer.revoke(&[NOTES], &winners).await;
    }
    customer.assert_seats(NOTES, 0, SEATS as i32).await;
}

struct Race {
    results: Vec<BatchResult>,
    in_flight_max: usize,
}

/// One client per user, each connected.
async fn connect(server: &Harness, customer: &Customer) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..RACERS {
        let client = server.another_client();
        let request = GetCustomerRequest {
            customer_id: customer.id.clone(),
        };
        client.get_customer(request).await.expect("it connects");
        clients.push(client);
    }
    clients
}

/// All clients ask for a seat at once, each for a user of its own.
async fn race(clients: &[Client], customer: &Customer) -> Race {
    let start = Arc::new(Barrier::new(clients.len()));
    let in_flight = Arc::new(AtomicUsize::new(0));
    let in_flight_max = Arc::new(AtomicUsize::new(0));
    let mut racers = JoinSet::new();
    for (number, client) in clients.iter().cloned().enumerate() {
        let request = customer.request(assign(&[NOTES]), vec![user_id(number)]);
        let (start, in_flight, max) = (start.clone(), in_flight.clone(), in_flight_max.clone());
        racers.spawn(async move {
            start.wait().await;
            let now = in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            max.fetch_max(now, Ordering::SeqCst);
            let outcome = read(client.batch(request)).await;
            in_flight.fetch_sub(1, Ordering::SeqCst);
            let results = outcome.expect("the batch is accepted and ends").results;
            assert_eq!(results.len(), 1);
            results.into_iter().next().expect("one result")
        });
    }
    let results = racers.join_all().await;
    Race {
        results,
        in_flight_max: in_flight_max.load(Ordering::SeqCst),
    }
}

async fn seats_that_are_short_go_to_the_first_of_the_request(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(CHUNKS_APART).await;
    customer.set_seats(NOTES, 300).await;
    // Backwards, so that the order of the request is not that of the ids.
    let users: Vec<_> = user_ids(CHUNKS_APART).into_iter().rev().collect();
    let results = customer.assign(&[NOTES], &users).await;
    results[..300].iter().for_each(assert_applied);
    for result in &results[300..] {
        assert_failed(result, &[SeatsExhausted]);
    }
    customer.assert_seats(NOTES, 300, 0).await;
}

async fn a_seat_freed_earlier_in_the_batch_serves_a_later_user(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(NOTES, 1).await;
    customer.give(&[NOTES], &[user_id(0)]).await;
    let results = pass_on(&customer, vec![(user_id(0), false), (user_id(1), true)]).await;
    results.iter().for_each(assert_applied);
    customer.assert_seats(NOTES, 1, 0).await;

    // The other way round the seat is not free yet: nothing looks ahead.
    let results = pass_on(&customer, vec![(user_id(0), true), (user_id(1), false)]).await;
    assert_failed(&results[0], &[SeatsExhausted]);
    assert_applied(&results[1]);
    customer.assert_seats(NOTES, 0, 1).await;
}

async fn seats_freed_in_an_earlier_chunk_serve_later_users(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(CHUNKS_APART + 100).await;
    customer.set_seats(NOTES, 50).await;
    let users = user_ids(CHUNKS_APART + 100);
    let (first, between) = users.split_at(50);
    let (between, last) = between.split_at(CHUNKS_APART);
    customer.give(&[NOTES], first).await;

    // `between` lose what they do not have; the 50 after them take the 50 freed seats.
    let turns = first
        .iter()
        .chain(between)
        .map(|user| (user.clone(), false));
    let turns = turns.chain(last.iter().map(|user| (user.clone(), true)));
    let results = pass_on(&customer, turns.collect()).await;
    results[..50].iter().for_each(assert_applied);
    results[50..650].iter().for_each(assert_unchanged);
    results[650..].iter().for_each(assert_applied);
    customer.assert_seats(NOTES, 50, 0).await;
}

async fn fifty_users_move_from_a_full_product_to_one_that_excludes_it(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(50).await;
    customer.set_seats(SUITE, 50).await;
    customer.set_seats(MAILBOX, 50).await;
    customer.give(&[SUITE], &user_ids(50)).await;
    customer.assert_seats(SUITE, 50, 0).await;

    let results = customer
        .run(change(&[MAILBOX], &[SUITE]), &user_ids(50))
        .await;
    results.iter().for_each(assert_applied);
    customer.assert_seats(SUITE, 0, 50).await;
    customer.assert_seats(MAILBOX, 50, 0).await;
}

async fn two_groups_swap_two_full_products_through_one_spare_seat(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(40).await;
    customer.set_seats(SUITE, 20).await;
    customer.set_seats(MAILBOX, 21).await;
    let (one, other): (Vec<_>, Vec<_>) =
        (user_ids(40).into_iter().enumerate()).partition(|(number, _)| number % 2 == 0);
    let names = |group: &[(usize, String)]| -> Vec<_> {
        group.iter().map(|(_, user)| user.clone()).collect()
    };
    customer.give(&[SUITE], &names(&one)).await;
    customer.give(&[MAILBOX], &names(&other)).await;

    let turn = |(number, user): (usize, String)| match number % 2 {
        0 => (user, change(&[MAILBOX], &[SUITE])),
        _ => (user, change(&[SUITE], &[MAILBOX])),
    };
    let request = customer.own_changes(user_ids(40).into_iter().enumerate().map(turn));
    let outcome = customer.execute(request).await;
    assert_eq!(outcome.counts(), (40, 0, 0));
    customer.assert_seats(SUITE, 20, 0).await;
    customer.assert_seats(MAILBOX, 20, 1).await;
}

async fn a_refused_user_takes_no_seat(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(SUITE, 2).await;
    customer.set_seats(MAILBOX, 1).await;
    customer.set_seats(VIDEO, 0).await;
    customer.give(&[MAILBOX], &[user_id(0)]).await;

    // The first is refused by a rule; the seat that it would have had goes to the third.
    let results = customer.assign(&[SUITE], &user_ids(3)).await;
    results[1..].iter().for_each(assert_applied);
    customer.assert_seats(SUITE, 2, 0).await;
    customer.revoke(&[SUITE], &user_ids(3)).await;
    let results = customer.assign(&[SUITE, VIDEO], &[user_id(1)]).await;
    assert_failed(&results[0], &[SeatsExhausted]);
    customer.assert_seats(SUITE, 0, 2).await;
}

async fn calls_of_several_customers_do_not_meet(server: &Harness) {
    server.start_with_catalogue().await;
    let mut calls = JoinSet::new();
    for seats in [10, 20, 30, 40] {
        let customer = server.customer_with_users(100).await;
        customer.set_seats(NOTES, seats).await;
        calls.spawn(async move {
            let request = customer.request(assign(&[NOTES]), user_ids(100));
            let outcome = customer.execute(request).await;
            assert_eq!(outcome.counts(), (seats, 0, 100 - seats));
            customer.assert_seats(NOTES, seats, 0).await;
        });
    }
    calls.join_all().await;
}

/// Gives (true) or takes (false) a seat, user by user, in one call.
async fn pass_on(customer: &Customer, turns: Vec<(String, bool)>) -> Vec<BatchResult> {
    let own = |gets: bool| -> Change {
        if gets {
            assign(&[NOTES])
        } else {
            revoke(&[NOTES])
        }
    };
    let changes = turns.into_iter().map(|(user, gets)| (user, own(gets)));
    let outcome = customer.execute(customer.own_changes(changes)).await;
    let in_order = outcome.results.is_sorted_by_key(BatchResult::index);
    assert!(in_order, "where seats may run short, order is kept");
    outcome.results
}

on_every_engine![
    two_hundred_clients_race_for_fifty_seats,
    seats_that_are_short_go_to_the_first_of_the_request,
    a_seat_freed_earlier_in_the_batch_serves_a_later_user,
    seats_freed_in_an_earlier_chunk_serve_later_users,
    fifty_users_move_from_a_full_product_to_one_that_excludes_it,
    two_groups_swap_two_full_products_through_one_spare_seat,
    a_refused_user_takes_no_seat,
    calls_of_several_customers_do_not_meet,
];
