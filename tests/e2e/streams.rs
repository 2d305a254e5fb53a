//! Streams of results: readers come, go and dawdle, servers stop, and every result is told all the
//! same.

use std::time::Duration;

use seatwise_client::v1::{
    BatchResult, Change, ListBatchResultsRequest, ListBatchResultsResponse, ListProductsRequest,
    batch,
};
use tokio::task::JoinSet;

use crate::customer::{
    Customer, Outcome, assert_complete, bytes, commit_time, pages, read, wall_clock,
};
use crate::fixtures::product::NOTES;
use crate::fixtures::{REAL_CATALOGUE, assign, user_ids};
use crate::harness::{Harness, on_every_engine};

/// After how many results a reader goes: around the ends of the first two chunks as well.
const LEAVE_AFTER: [usize; 10] = [1, 2, 10, 63, 64, 65, 300, 563, 564, 565];
const USERS: usize = 4_000;

async fn a_batch_ends_without_its_reader_who_can_read_the_rest_later(server: &Harness) {
    server.start().await;
    let import = server.client();
    let import = import.import_catalogue(REAL_CATALOGUE.as_bytes()).await;
    import.expect("the catalogue is good");
    let customer = server.customer_with_users(USERS).await;
    // All ten run at once and take turns, so that none has ended when its reader goes.
    let mut readers = JoinSet::new();
    for (product, leave_after) in products(&customer, 10).await.into_iter().zip(LEAVE_AFTER) {
        customer.set_seats(&product, USERS as i32).await;
        let customer = customer.clone();
        readers.spawn(async move { leave_and_come_back(&customer, &product, leave_after).await });
    }
    let outlived = readers.join_all().await;
    let count = outlived.iter().filter(|outlived| **outlived).count();
    assert_eq!(count, 10, "every batch was running when its reader went");
    customer.assert_counts().await;
}

/// Says whether the batch was running when its reader went.
async fn leave_and_come_back(customer: &Customer, product: &str, leave_after: usize) -> bool {
    let mut stream = customer
        .client
        .batch(customer.request(assign(&[product]), user_ids(USERS)));
    let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
    let mut seen = Vec::new();
    while seen.len() < leave_after {
        let result = stream.next().await.expect("more results");
        seen.push(result.expect("the server is there").result);
    }
    drop(stream);
    let left = customer.batch(&batch_id).await;
    let ended = customer.ended(&batch_id).await;
    assert_eq!(ended.applied_count(), USERS as i32);

    let all = read(customer.client.batch_results(&customer.id, &batch_id, "")).await;
    let all = all.expect("results are stored");
    assert_complete(&all, USERS);
    assert_eq!(bytes(&seen), all.bytes()[..leave_after]);
    let cursor = &seen[leave_after - 1].cursor;
    let rest = customer
        .client
        .batch_results(&customer.id, &batch_id, cursor);
    let rest = read(rest).await.expect("results are stored");
    assert_eq!(
        rest.bytes(),
        all.bytes()[leave_after..],
        "the missing suffix"
    );
    assert_eq!(rest.batch, ended);
    left.state() == batch::State::Running
}

async fn products(customer: &Customer, count: i32) -> Vec<String> {
    let request = ListProductsRequest {
        page_size: count,
        ..Default::default()
    };
    let page = customer.client.list_products(request).await;
    let products = page.expect("products are listed").products;
    products
        .into_iter()
        .map(|product| product.product_id)
        .collect()
}

async fn a_reader_who_stops_for_a_while_loses_nothing(server: &Harness) {
    let customer = customer_with_seats(server, 5_000).await;
    let mut stream = customer
        .client
        .batch(customer.request(assign(&[NOTES]), user_ids(5_000)));
    let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
    let first = stream.next().await.expect("a result").expect("a result");
    customer.ended(&batch_id).await;

    // Everything is stored now, and most of it was never asked for.
    let rest = read(stream).await.expect("the stream goes on");
    let results = [vec![first.result], rest.results].concat();
    let outcome = Outcome { results, ..rest };
    assert_complete(&outcome, 5_000);
}

async fn a_stream_while_it_runs_and_one_after_the_end_are_the_same(server: &Harness) {
    let customer = customer_with_seats(server, 2_000).await;
    customer.set_seats(NOTES, 1_500).await;
    let mut stream = customer
        .client
        .batch(customer.request(assign(&[NOTES]), user_ids(2_000)));
    let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
    let second = customer.client.batch_results(&customer.id, &batch_id, "");
    let state = customer.batch(&batch_id).await.state();
    assert_eq!(
        state,
        batch::State::Running,
        "both were opened while it ran"
    );
    let (first, second) = tokio::join!(read(stream), read(second));
    let (first, second) = (first.expect("it ends"), second.expect("it ends"));
    let third = customer.client.batch_results(&customer.id, &batch_id, "");
    let third = read(third).await.expect("it has ended");
    assert_complete(&first, 2_000);
    for other in [&second, &third] {
        assert_eq!(other.bytes(), first.bytes());
        assert_eq!(other.batch, first.batch);
    }
    // From every cursor of a chunk's border on, and from the very last one.
    for place in [0, 62, 63, 64, 563, 1_999] {
        let cursor = &first.results[place].cursor;
        let rest = customer
            .client
            .batch_results(&customer.id, &batch_id, cursor);
        let rest = read(rest).await.expect("it has ended");
        assert_eq!(rest.bytes(), first.bytes()[place + 1..]);
        assert_eq!(rest.batch, first.batch);
    }
}

async fn pages_of_every_size_hold_the_same_results(server: &Harness) {
    let customer = customer_with_seats(server, 700).await;
    let outcome = customer
        .execute(customer.request(assign(&[NOTES]), user_ids(700)))
        .await;
    for page_size in [1, 7, 1_000, i32::MAX] {
        let results = pages(|page_token| {
            let request = page_request(&customer, &outcome.batch.batch_id, page_size, page_token);
            async {
                let page = customer.client.list_batch_results(request).await?;
                let size = usize::try_from(page_size).expect("positive");
                assert!(page.results.len() <= size);
                Ok((page.results, page.next_page_token))
            }
        });
        let results = results.await.expect("results are listed");
        assert_eq!(bytes(&results), outcome.bytes(), "pages of {page_size}");
    }
    // A result's cursor is a token, too; without a size a page has 50.
    let token = outcome.results[99].cursor.clone();
    let page = list(&customer, &outcome.batch.batch_id, 0, token).await;
    assert_eq!(bytes(&page.results), outcome.bytes()[100..150]);
}

async fn a_page_of_very_large_results_fits_a_message(server: &Harness) {
    server.start().await;
    let client = server.client();
    let import = client.import_catalogue(REAL_CATALOGUE.as_bytes()).await;
    import.expect("the catalogue is good");
    let customer = server.customer_with_users(600).await;
    let mut change = Change::default();
    for product in products(&customer, 100).await {
        customer.set_seats(&product, 600).await;
        change.assign.extend(assign(&[&product]).assign);
    }
    let outcome = customer
        .execute(customer.request(change, user_ids(600)))
        .await;
    assert_eq!(outcome.counts(), (600, 0, 0));
    let size: usize = outcome.bytes().iter().map(Vec::len).sum();
    assert!(size > 4 * 1024 * 1024, "more than clients take by default");
    let results = pages(|page_token| async {
        let request = page_request(&customer, &outcome.batch.batch_id, 1_000, page_token);
        let page = customer.client.list_batch_results(request).await?;
        Ok((page.results, page.next_page_token))
    });
    let results = results.await.expect("results are listed");
    assert_eq!(bytes(&results), outcome.bytes());
}

async fn while_a_batch_runs_the_token_stays_and_leads_on(server: &Harness) {
    let customer = customer_with_seats(server, 5_000).await;
    let mut stream = customer
        .client
        .batch(customer.request(assign(&[NOTES]), user_ids(5_000)));
    let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
    let (mut results, mut token, mut waited) = (Vec::new(), String::new(), 0);
    loop {
        let page = list(&customer, &batch_id, 1_000, token.clone()).await;
        if page.results.is_empty() && !page.next_page_token.is_empty() {
            waited += 1;
            assert!(token.is_empty() || token == page.next_page_token);
        }
        results.extend(page.results);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert!(waited > 0, "the list was read faster than it grew");
    let outcome = read(stream).await.expect("it ends");
    assert_eq!(bytes(&results), outcome.bytes());
}

async fn a_server_that_is_stopped_goes_on_after_its_next_start(server: &Harness) {
    let customer = customer_with_seats(server, 5_000).await;
    let mut stream = customer
        .client
        .batch(customer.request(assign(&[NOTES]), user_ids(5_000)));
    let first = stream.next().await.expect("a result").expect("a result");
    server.stop().await;
    let stopped = wall_clock();
    tokio::time::sleep(Duration::from_millis(10)).await;
    server.start().await;

    let rest = read(stream).await.expect("the stream survives");
    assert!(!rest.replayed, "the stream has seen its batch begin");
    let last: &BatchResult = rest.results.last().expect("more results");
    assert!(
        commit_time(last) > stopped,
        "it ran when the server stopped"
    );
    let results = [vec![first.result], rest.results].concat();
    let outcome = Outcome { results, ..rest };
    assert_complete(&outcome, 5_000);
    customer.assert_seats(NOTES, 5_000, 0).await;
}

async fn a_cut_before_the_first_result_does_not_look_like_a_replay(server: &Harness) {
    let customer = customer_with_seats(server, 5_000).await;
    let mut stream = customer
        .client
        .batch(customer.request(assign(&[NOTES]), user_ids(5_000)));
    stream.accepted().await.expect("accepted");
    assert!(!stream.is_replayed());
    server.restart().await;
    let outcome = read(stream).await.expect("the stream survives");
    assert!(!outcome.replayed);
    assert_complete(&outcome, 5_000);
}

async fn customer_with_seats(server: &Harness, users: usize) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(users).await;
    customer.set_seats(NOTES, users as i32).await;
    customer
}

fn page_request(
    customer: &Customer,
    batch_id: &str,
    page_size: i32,
    page_token: String,
) -> ListBatchResultsRequest {
    ListBatchResultsRequest {
        customer_id: customer.id.clone(),
        batch_id: batch_id.to_owned(),
        page_size,
        page_token,
    }
}

async fn list(
    customer: &Customer,
    batch_id: &str,
    page_size: i32,
    page_token: String,
) -> ListBatchResultsResponse {
    let request = page_request(customer, batch_id, page_size, page_token);
    let page = customer.client.list_batch_results(request).await;
    page.expect("results are listed")
}

on_every_engine![
    a_batch_ends_without_its_reader_who_can_read_the_rest_later,
    a_reader_who_stops_for_a_while_loses_nothing,
    a_stream_while_it_runs_and_one_after_the_end_are_the_same,
    pages_of_every_size_hold_the_same_results,
    a_page_of_very_large_results_fits_a_message,
    while_a_batch_runs_the_token_stays_and_leads_on,
    a_server_that_is_stopped_goes_on_after_its_next_start,
    a_cut_before_the_first_result_does_not_look_like_a_replay,
];
