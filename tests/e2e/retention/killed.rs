//! A server is killed while it prunes.

use std::time::Duration;

use seatwise_client::Verifier;
use seatwise_client::v1::UpdateCustomerRequest;

use super::{KEEPING, copy_results, keep_90_days, verify};
use crate::customer::{Customer, Outcome};
use crate::fixtures::product::NOTES;
use crate::fixtures::{Random, assign, user_ids};
use crate::harness::{Harness, on_every_engine};

/// A batch and many other commits.
async fn long_ago(customer: &Customer) -> Outcome {
    let old = customer
        .execute(customer.request(assign(&[NOTES]), user_ids(5)))
        .await;
    for number in 0..400 {
        let request = UpdateCustomerRequest {
            customer_id: customer.id.clone(),
            display_name: Some(format!("Name {number}")),
            ..UpdateCustomerRequest::default()
        };
        customer
            .client
            .update_customer(request)
            .await
            .expect("updated");
    }
    old
}

async fn a_server_that_is_killed_while_it_prunes_goes_on_at_its_next_start(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(5).await;
    customer.set_seats(NOTES, 5).await;
    let old = long_ago(&customer).await;
    let mut journal = customer.whole_journal().await;
    server.stop().await;
    let last = journal.commits.last().expect("a commit").last_position;
    let mut statements = copy_results(600);
    statements += &server.backdate_batch(&customer, &old.batch.batch_id, 100);
    statements += &server.backdate_journal(&customer, &mut journal, last, 100);
    server.execute_sql(&statements).await;
    let results = server.count_rows("batch_results").await;
    let commits = server.count_rows("commits").await;

    // In the middle of the results.
    server.start_process_with(&KEEPING).await;
    customer.wait_until_pruned(&old.batch.batch_id).await;
    server.kill().await;
    let left = server.count_rows("batch_results").await;
    assert!(
        left > 0 && left < results,
        "{left} of {results}: not in the middle"
    );

    // In the middle of the journal.
    let mut random = Random::new(5);
    loop {
        server.start_process_with(&KEEPING).await;
        customer.pruned_start().await;
        tokio::time::sleep(Duration::from_millis(random.below(30))).await;
        server.kill().await;
        let left = server.count_rows("commits").await;
        assert!(
            left > 100,
            "{left} of {commits}: too late to be in the middle"
        );
        if left < commits {
            break;
        }
    }
    assert_eq!(server.count_rows("batch_results").await, 0);
    server.start_process_with(&KEEPING).await;
    let parts = customer.journal().await.expect("a journal");
    let found = verify(Verifier::new(&customer.id), &[], &parts).expect("whole");
    assert!(found.start.is_some());
    server.kill().await;

    // It ends promptly, and in the end nothing is left but the last commit and that of the pruning.
    let mut rounds = 0;
    let of_others = commits - journal.commits.len() as i64;
    while server.count_rows("commits").await > of_others + 2 {
        rounds += 1;
        assert!(rounds < 100, "it does not get on");
        server.start_keeping(keep_90_days()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.stop().await;
    }
    assert_eq!(server.count_rows("commits").await, of_others + 2);
    server.start().await;
    let parts = customer.journal().await.expect("a journal");
    verify(Verifier::new(&customer.id), &[], &parts).expect("whole");
}

on_every_engine![a_server_that_is_killed_while_it_prunes_goes_on_at_its_next_start,];
