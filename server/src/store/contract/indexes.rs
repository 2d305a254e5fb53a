//! Which indexes PostgreSQL takes while its tables are new, so that it believes them to be empty. On
//! SQLite, which counts no such thing, the choice does not depend on what is believed.

use std::collections::BTreeMap;

use super::engine::{self, Fresh};
use super::fixture::{BASIC, Fixture, NOW, OFFICE, assign, later, user};
use super::prune_journal::in_turn;
use super::raw;
use crate::domain::{BatchId, RecordKind, ViolationFilter};
use crate::store::{HistoryFilter, Subject};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_chunk_reads_users_by_their_key_however_new_the_tables_are() {
    if let Some(engine) = engine::postgres().await {
        engine.run(check).await;
    }
}

async fn check(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    // As the server does by itself after a while: now it takes them for empty.
    raw::execute(&fixture.store, "ANALYZE").await;
    fixture.enable_seats(OFFICE, 900).await;
    fixture.enable_seats(BASIC, 900).await;
    let users = fixture.create_users(1..=900).await;
    let other = fixture.on_another_server().await;
    other.run(1, &users, assign(&[OFFICE])).await;
    other.run(2, &users, assign(&[BASIC])).await;
    drop(other); // what a connection counted is seen when it ends

    // Each user of each batch was looked up, and checked when something was written about it.
    let keys = ["assignments_pkey", "users_pkey"];
    let mut scans = BTreeMap::new();
    for _ in 0..10_000 {
        scans = index_scans(&fixture, "'users', 'assignments'").await;
        if keys.iter().all(|key| scans[*key] >= 1_800) {
            break;
        }
    }
    assert!(keys.iter().all(|key| scans[*key] >= 1_800), "{scans:?}");
    let others: Vec<_> = scans
        .iter()
        .filter(|(index, scans)| !index.ends_with("key") && **scans >= 900)
        .collect();
    assert!(others.is_empty(), "scans for each user: {others:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_to_be_pruned_is_found_and_deleted_by_index() {
    if let Some(engine) = engine::postgres().await {
        engine.run(check_pruning).await;
    }
}

async fn check_pruning(fresh: Fresh) {
    const ASKED: i64 = 200;
    let fixture = fresh.fixture().await;
    raw::execute(&fixture.store, "ANALYZE").await;
    fixture.enable_seats(OFFICE, 900).await;
    let users = fixture.create_users(1..=100).await;
    for number in 1..=40 {
        fixture.run(number, &users, in_turn(number, OFFICE)).await;
    }
    let tables = "'batches', 'batch_results', 'batch_chunks', 'changes', 'commits'";
    let before = index_scans(&fixture, tables).await;
    let other = fixture.on_another_server().await;
    for _ in 0..ASKED {
        assert!(other.prune_results(NOW).await.is_empty());
        assert_eq!(other.move_start(NOW, NOW).await, None);
    }
    assert_eq!(other.prune_results(later(1)).await.len(), 40);
    other.move_start(later(1), later(1)).await.expect("moved");
    other.prune_journal().await;
    drop(other);

    let mut scans = BTreeMap::new();
    let index = "batches_kept_idx";
    for _ in 0..10_000 {
        scans = index_scans(&fixture, tables).await;
        if scans[index] >= before[index] + 2 * ASKED {
            break;
        }
    }
    assert!(scans[index] >= before[index] + 2 * ASKED, "{scans:?}");
    // Those would find the rows as well, past all others of the customer.
    for index in ["changes_thing_idx", "changes_kind_idx", "commits_batch_idx"] {
        assert_eq!(scans[index], before[index], "{index}: {scans:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_of_a_history_reads_little_more_than_it_lists() {
    if let Some(engine) = engine::postgres().await {
        engine.run(check_histories).await;
    }
}

/// Records of the customer, nearly all of one batch.
const RECORDS: usize = 6_000;
const PAGE: i64 = 50;

async fn check_histories(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    raw::execute(&fixture.store, "ANALYZE").await;
    fixture.enable_seats(OFFICE, 6_000).await;
    let users = fixture.create_users(1..=RECORDS as u128).await;
    fixture.run(1, &users, assign(&[OFFICE])).await;
    let of = |subject, kinds: &[RecordKind], from| HistoryFilter {
        subject,
        kinds: kinds.to_vec(),
        from,
        until: None,
    };
    let all = Subject::Everything;
    let batch = Subject::Batch(BatchId(Uuid::from_u128(1)));
    let pages = [
        of(all, &[], None),
        of(all, &[], Some(NOW)),
        of(all, &[RecordKind::SeatsSet, RecordKind::BatchEnded], None),
        of(Subject::User(user(3_000)), &[], None),
        of(Subject::License(OFFICE), &[], None),
        of(batch, &[], None),
    ];
    let before = tuples_read(&fixture).await;
    let other = fixture.on_another_server().await;
    for filter in &pages {
        for before in [None, Some(3_000)] {
            let page = other.store.history(fixture.customer, filter, before, PAGE);
            page.await.expect("a page");
        }
    }
    drop(other); // what a connection counted is seen when it ends

    // Each record of a page is found with its commit; all together are fewer than the records.
    let (least, most) = (PAGE, RECORDS as i64);
    let mut read = 0;
    for _ in 0..10_000 {
        read = tuples_read(&fixture).await - before;
        if read >= least {
            break;
        }
    }
    assert!((least..most).contains(&read), "{read} rows were read");
}

/// How many rows of the journal were read by its indexes or without any.
async fn tuples_read(fixture: &Fixture) -> i64 {
    let query = "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes \
                 WHERE relname IN ('changes', 'commits')) + (SELECT sum(seq_tup_read) \
                 FROM pg_stat_user_tables WHERE relname IN ('changes', 'commits')) || '' AS line";
    let lines = raw::lines(&fixture.store, query).await;
    lines[0].parse().expect("a count")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_walk_reads_users_in_the_order_of_their_key_however_new_the_tables_are() {
    if let Some(engine) = engine::postgres().await {
        engine.run(check_walk).await;
    }
}

async fn check_walk(fresh: Fresh) {
    const BLOCKS: i64 = 900 / 7;
    let fixture = fresh.fixture().await;
    raw::execute(&fixture.store, "ANALYZE").await;
    fixture.create_users(1..=900).await;
    let other = fixture.on_another_server().await;
    let any = ViolationFilter::default();
    let summary = other
        .store
        .summarize_violations(other.customer, &other.catalogue, &any)
        .await;
    assert_eq!(summary.expect("a summary").users, 0);
    drop(other); // what a connection counted is seen when it ends

    // To create users reads no assignment: these are the blocks of the walk.
    let mut scans = BTreeMap::new();
    for _ in 0..10_000 {
        scans = index_scans(&fixture, "'users', 'assignments'").await;
        if scans["assignments_pkey"] >= BLOCKS {
            break;
        }
    }
    assert!(scans["assignments_pkey"] >= BLOCKS, "{scans:?}");
    assert!(scans["users_pkey"] >= BLOCKS, "{scans:?}");
    let others = scans.iter().filter(|(index, _)| !index.ends_with("key"));
    let others: Vec<_> = others.filter(|(_, scans)| **scans >= BLOCKS).collect();
    assert!(others.is_empty(), "scans for each block: {others:?}");
}

/// How often each index of some tables was scanned.
async fn index_scans(fixture: &Fixture, tables: &str) -> BTreeMap<String, i64> {
    let query = format!(
        "SELECT indexrelname || ' ' || idx_scan AS line FROM pg_stat_user_indexes \
         WHERE relname IN ({tables})"
    );
    let lines = raw::lines(&fixture.store, &query).await;
    let scan = |line: &String| {
        let (index, scans) = line.split_once(' ').expect("two words");
        (index.to_owned(), scans.parse().expect("a count"))
    };
    lines.iter().map(scan).collect()
}
