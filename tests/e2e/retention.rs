//! What is old is pruned when the server starts: batches are refused then, and the journal is whole from
//! its new beginning.

mod journal;
mod killed;

use std::num::NonZeroU16;
use std::time::Duration;

use seatwise_client::v1::{
    Checkpoint, ErrorReason, ExecuteBatchRequest, ListBatchResultsRequest, StreamJournalRequest,
    StreamJournalResponse,
};
use seatwise_client::{Code, Error, Flaw, Verified, Verifier};
use seatwise_server::server::Keep;

use crate::backdate::Journal;
use crate::customer::{Customer, Outcome, assert_complete, read};
use crate::fixtures::product::{NOTES, SUITE};
use crate::fixtures::{assign, import_catalogue, revoke, user_ids};
use crate::harness::{Harness, on_every_engine};

const KEEPING: [&str; 4] = ["--keep-results", "90", "--keep-history", "90"];

fn keep_90_days() -> Keep {
    let days = NonZeroU16::new(90).expect("not zero");
    Keep::new(days, Some(days)).expect("as long as results")
}

impl Customer {
    /// All parts of the journal.
    async fn journal(&self) -> Result<Vec<StreamJournalResponse>, Error> {
        let request = StreamJournalRequest {
            customer_id: self.id.clone(),
            ..StreamJournalRequest::default()
        };
        let mut stream = self.client.journal(request).await?;
        let mut parts = Vec::new();
        while let Some(part) = stream.next().await? {
            parts.push(part);
        }
        Ok(parts)
    }

    async fn whole_journal(&self) -> Journal {
        let parts = self.journal().await.expect("a journal");
        let parts = parts.into_iter().map(|part| (part.records, part.commits));
        let (records, commits): (Vec<_>, Vec<_>) = parts.unzip();
        Journal {
            records: records.concat(),
            commits: commits.concat(),
        }
    }

    /// The beginning of the journal, once it was pruned.
    async fn pruned_start(&self) -> Checkpoint {
        loop {
            let parts = self.journal().await;
            if let Some(start) = parts.ok().and_then(|parts| parts[0].start.clone()) {
                return start;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn is_pruned(&self, batch: &str) -> bool {
        self.batch(batch).await.results_pruned
    }

    async fn wait_until_pruned(&self, batch: &str) {
        while !self.is_pruned(batch).await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A customer with a batch of 100 days ago that failed for some, and one of today.
struct Old {
    customer: Customer,
    request: ExecuteBatchRequest,
    old: Outcome,
    page_token: String,
    young: ExecuteBatchRequest,
    young_outcome: Outcome,
    journal: Journal,
    /// The end of the old batch.
    cut: i64,
}

async fn with_old_batch(server: &Harness) -> Old {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(80).await;
    customer.set_seats(NOTES, 70).await;
    let request = customer.request(assign(&[NOTES]), user_ids(80));
    let old = customer.execute(request.clone()).await;
    assert_eq!(old.counts(), (70, 0, 10));
    let page = ListBatchResultsRequest {
        customer_id: customer.id.clone(),
        batch_id: old.batch.batch_id.clone(),
        page_size: 20,
        page_token: String::new(),
    };
    let page = customer.client.list_batch_results(page).await;
    let page_token = page.expect("a page").next_page_token;
    let cut = customer.whole_journal().await.records.len() as i64;
    let young = customer.request(revoke(&[NOTES]), user_ids(5));
    let young_outcome = customer.execute(young.clone()).await;
    let mut journal = customer.whole_journal().await;
    server.stop().await;

    let mut statements = server.backdate_batch(&customer, &old.batch.batch_id, 100);
    statements += &server.backdate_journal(&customer, &mut journal, cut, 100);
    server.execute_sql(&statements).await;
    Old {
        customer,
        request,
        old,
        page_token,
        young,
        young_outcome,
        journal,
        cut,
    }
}

async fn an_old_batch_is_pruned_and_never_executed_again(server: &Harness) {
    let old = with_old_batch(server).await;
    let (customer, batch) = (&old.customer, &old.old.batch);
    server.start_keeping(keep_90_days()).await;
    customer.wait_until_pruned(&batch.batch_id).await;

    let mut expected = batch.clone();
    let pruned = customer.batch(&batch.batch_id).await;
    expected.results_pruned = true;
    (expected.create_time, expected.end_time) = (pruned.create_time, pruned.end_time);
    assert_eq!(pruned, expected, "all but the results is there");
    let listed = customer.batches().await;
    assert_eq!(listed.iter().filter(|one| one.results_pruned).count(), 1);
    assert_eq!(listed.len(), 2);

    // Now there are seats for everybody.
    customer.set_seats(NOTES, 99).await;
    let before = customer.world().await;
    let (client, id) = (&customer.client, batch.batch_id.as_str());
    let cursor = old.old.results[70].cursor.clone();
    let page = ListBatchResultsRequest {
        customer_id: customer.id.clone(),
        batch_id: id.to_owned(),
        page_size: 20,
        page_token: old.page_token,
    };
    let refusals = [
        read(client.batch(old.request.clone())).await.err(),
        read(client.batch_results(&customer.id, id, "")).await.err(),
        read(client.batch_results(&customer.id, id, cursor))
            .await
            .err(),
        client.list_batch_results(page).await.err(),
        read(client.batch(customer.revert(id))).await.err(),
        read(client.batch(customer.retry(id))).await.err(),
        read(client.preview(customer.revert(id))).await.err(),
    ];
    for (place, refusal) in refusals.into_iter().enumerate() {
        let Some(error) = refusal else {
            panic!("number {place} is not refused");
        };
        let (code, reason) = (error.code, error.reason);
        let expected = (Code::FailedPrecondition, ErrorReason::ResultsPruned);
        assert_eq!((code, reason), expected, "{place}: {error}");
        assert_eq!(error.metadata["batchId"], id);
    }
    let dutch = read(server.client_in("nl").batch(old.request)).await.err();
    let dutch = dutch.expect("refused").localized.expect("a text").text;
    assert!(dutch.contains("niet meer bewaard"), "{dutch}");
    assert_eq!(customer.world().await, before);

    let again = customer.execute(old.young).await;
    assert!(again.replayed);
    assert_eq!(again.bytes(), old.young_outcome.bytes());
}

fn verify(
    verifier: Result<Verifier, Flaw>,
    expected: &[&Checkpoint],
    parts: &[StreamJournalResponse],
) -> Result<Verified, Flaw> {
    let mut verifier = verifier?;
    for checkpoint in expected {
        verifier.expect((*checkpoint).clone())?;
    }
    parts.iter().try_for_each(|part| verifier.add(part))?;
    verifier.finish()
}

/// Gives a batch many more rows of results, so that it takes many steps to prune.
fn copy_results(copies: usize) -> String {
    let mut statements = String::new();
    for (table, columns) in [
        (
            "batch_results",
            "result_count, first_seq, change_count, dispositions, results, failed_user_ids",
        ),
        ("batch_chunks", "turns, digest"),
    ] {
        for copy in 1..=copies {
            statements += &format!(
                "INSERT INTO {table} (customer_id, batch_id, first_position, {columns}) \
                 SELECT customer_id, batch_id, first_position + {copy} * 1000, {columns} \
                 FROM {table} WHERE first_position < 1000;"
            );
        }
    }
    statements
}

async fn batches_that_run_meanwhile_are_exact(server: &Harness) {
    const OLD: usize = 12;
    server.start_process().await;
    import_catalogue(&server.client()).await;
    let customer = server.customer_with_users(1_000).await;
    customer.set_seats(NOTES, 5).await;
    customer.set_seats(SUITE, 900).await;
    let mut old = Vec::new();
    for number in 0..OLD {
        let change = [assign(&[NOTES]), revoke(&[NOTES])][number % 2].clone();
        let outcome = customer
            .execute(customer.request(change, user_ids(5)))
            .await;
        old.push(outcome.batch.batch_id);
    }
    server.kill().await;
    let mut statements = copy_results(100);
    for batch in &old {
        statements += &server.backdate_batch(&customer, batch, 100);
    }
    server.execute_sql(&statements).await;

    server.start_process_with(&KEEPING).await;
    let mut during = 0;
    for round in 0.. {
        let change = [assign(&[SUITE]), revoke(&[SUITE])][round % 2].clone();
        let outcome = customer
            .execute(customer.request(change, user_ids(1_000)))
            .await;
        assert_complete(&outcome, 1_000);
        let (applied, _, failed) = outcome.counts();
        let expected = [(900, 100), (900, 0)][round % 2];
        assert_eq!((applied, failed), expected);
        let pruned = customer.batches().await;
        match pruned.iter().filter(|batch| batch.results_pruned).count() {
            OLD => break,
            0 => {}
            _ => during += 1,
        }
    }
    assert!(
        during > 0,
        "no batch ran while others were pruned: this shows nothing"
    );
    customer.assert_counts().await;
    let parts = customer.journal().await.expect("a journal");
    verify(Verifier::new(&customer.id), &[], &parts).expect("whole");
}

on_every_engine![
    an_old_batch_is_pruned_and_never_executed_again,
    batches_that_run_meanwhile_are_exact,
];
