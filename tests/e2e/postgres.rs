//! What only PostgreSQL can show: a second server on the same database, and plans that go by
//! statistics.

use std::time::{Duration, Instant};

use seatwise_client::v1::{batch, record::Details};
use tokio_postgres::NoTls;

use crate::customer::{Customer, assert_complete, commit_time, read, wall_clock};
use crate::fixtures::product::NOTES;
use crate::fixtures::{assign, import_catalogue, user_ids};
use crate::harness::{Harness, free_address, on_postgres};
use crate::process;

async fn a_second_server_takes_the_batch_of_a_killed_one_over(server: &Harness) {
    server.start_process().await;
    import_catalogue(&server.client()).await;
    let address = free_address();
    let second = process::serve(server, address).await;
    let customer = server.customer_with_users(10_000).await;
    customer.set_seats(NOTES, 10_000).await;

    let request = customer.request(assign(&[NOTES]), user_ids(10_000));
    let mut stream = customer.client.batch(request.clone());
    let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
    stream.next().await.expect("a result").expect("a result");
    server.kill().await;
    let killed = wall_clock();

    // The second one ends the batch, and tells all of it; so it does if it is asked anew.
    let customer = Customer {
        client: server.client_of(address),
        ..customer
    };
    let rest = customer.client.batch_results(&customer.id, &batch_id, "");
    let outcome = read(rest).await.expect("the second server ends it");
    assert_complete(&outcome, 10_000);
    assert_eq!(outcome.counts(), (10_000, 0, 0));
    let last = outcome.results.last().expect("a result");
    assert!(commit_time(last) > killed, "the batch outlived its server");
    let again = customer.execute(request).await;
    assert_eq!(again.bytes(), outcome.bytes());
    customer.assert_seats(NOTES, 10_000, 0).await;
    process::kill(second).await;
}

async fn two_servers_share_the_seats_of_a_customer(server: &Harness) {
    server.start_with_catalogue().await;
    let address = free_address();
    let second = process::serve(server, address).await;
    let one = server.customer_with_users(2_000).await;
    one.set_seats(NOTES, 1_000).await;
    let other = Customer {
        client: server.client_of(address),
        ..one.clone()
    };
    let users = user_ids(2_000);
    let (first, last) = users.split_at(1_000);
    let (first, last) = tokio::join!(
        one.execute(one.request(assign(&[NOTES]), first.to_vec())),
        other.execute(other.request(assign(&[NOTES]), last.to_vec())),
    );
    assert_eq!(first.counts().0 + last.counts().0, 1_000);
    assert_eq!(first.batch.state(), batch::State::Ended);
    one.assert_seats(NOTES, 1_000, 0).await;
    process::kill(second).await;
}

async fn a_watch_sees_what_another_server_does(server: &Harness) {
    server.start_with_catalogue().await;
    let address = free_address();
    let second = process::serve(server, address).await;
    let one = server.customer().await;
    let other = Customer {
        client: server.client_of(address),
        ..one.clone()
    };
    let (mut here, mut there) = (one.watch("").await, other.watch("").await);
    for (customer, seats) in [(&one, 1), (&other, 2), (&one, 3)] {
        customer.set_seats(NOTES, seats).await;
        let seen = here.next().await.expect("a change");
        assert_eq!(there.next().await.expect("a change"), seen);
        let record = seen.record.and_then(|row| row.record);
        let Some(Details::Seats(set)) = record.and_then(|record| record.details) else {
            panic!("not the seats that were set");
        };
        assert_eq!(set.after.expect("seats").enabled(), seats);
    }
    // A token of one server is good on the other.
    let last = one.watch(there.token()).await;
    assert_eq!(last.token(), here.token());
    process::kill(second).await;
}

async fn a_customer_that_statistics_do_not_know_is_served_as_fast(server: &Harness) {
    server.start_with_catalogue().await;
    let known = time_of_a_batch(server).await;
    analyze(&server.database_url()).await;
    let unknown = time_of_a_batch(server).await;
    println!("{known:?}, and {unknown:?} after the statistics were made");
    // Reading all users for each of them takes 20 seconds instead of 0.3.
    assert!(unknown < known * 5 + Duration::from_secs(1), "{unknown:?}");
}

async fn time_of_a_batch(server: &Harness) -> Duration {
    let customer = server.customer_with_users(20_000).await;
    customer.set_seats(NOTES, 900).await;
    let start = Instant::now();
    customer.give(&[NOTES], &user_ids(900)).await;
    start.elapsed()
}

async fn analyze(database: &str) {
    let connected = tokio_postgres::connect(database, NoTls).await;
    let (client, connection) = connected.expect("the database is there");
    let connection = tokio::spawn(connection);
    let done = client.batch_execute("ANALYZE").await;
    done.expect("statistics are made");
    drop(client);
    let _ = connection.await;
}

on_postgres![
    a_second_server_takes_the_batch_of_a_killed_one_over,
    two_servers_share_the_seats_of_a_customer,
    a_watch_sees_what_another_server_does,
    a_customer_that_statistics_do_not_know_is_served_as_fast,
];
