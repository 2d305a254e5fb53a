//! Which indexes PostgreSQL takes while its tables are new, so that it believes them to be empty. On
//! SQLite, which counts no such thing, the choice does not depend on what is believed.

use std::collections::BTreeMap;

use super::earlier::reverting;
use super::engine::{self, Fresh};
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign, assign_plans, customer, display, later, user,
};
use super::prune_journal::in_turn;
use super::raw;
use crate::domain::{BatchId, Customers, Place, PlanChoice, RecordKind, ViolationFilter};
use crate::store::history::Rows;
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
            let page = other.rows.history(filter, before, PAGE);
            page.await.expect("a page");
        }
    }
    drop(other); // what a connection counted is seen when it ends

    // Each record of a page is found with its commit; all together are fewer than the records.
    let read = read_since(&fixture, before, PAGE).await;
    assert!(read < RECORDS as i64, "{read} rows were read");
}

/// How many rows of the journal were read since it was `before`: as soon as it is so many.
async fn read_since(fixture: &Fixture, before: i64, least: i64) -> i64 {
    for _ in 0..10_000 {
        let read = tuples_read(fixture).await - before;
        if read >= least {
            return read;
        }
    }
    panic!("fewer than {least} rows were read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_has_changed_a_user_since_is_found_by_the_user() {
    if let Some(engine) = engine::postgres().await {
        engine.run(check_changers).await;
    }
    // SQLite counts no rows, so there the plan is looked at.
    if let Some(engine) = engine::sqlite().await {
        engine.run(check_plan).await;
    }
}

async fn check_changers(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    raw::execute(&fixture.store, "ANALYZE").await;
    fixture.enable_seats(OFFICE, 6_000).await;
    fixture.enable_seats(BASIC, 6_000).await;
    let users = fixture.create_users(1..=RECORDS as u128).await;
    let few = &users[100..120];
    let request = fixture.request(2, few, assign(&[BASIC]));
    let batch = fixture.accept(&request).await;
    assert_eq!(fixture.work(&batch).await, "A".repeat(20));
    let none = assign_plans(BASIC, PlanChoice::Only(Vec::new()));
    assert_eq!(fixture.run(3, few, none).await, "A".repeat(20));
    fixture.run(4, &users, assign(&[OFFICE])).await;

    let before = tuples_read(&fixture).await;
    let other = fixture.on_another_server().await;
    let revert = other.accept(&reverting(&other, 5, &batch, false)).await;
    assert_eq!(other.work(&revert).await, "F".repeat(20));
    drop(other); // what a connection counted is seen when it ends

    let read = read_since(&fixture, before, 20).await;
    assert!(read < RECORDS as i64, "{read} rows were read");
}

async fn check_plan(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let rows = Rows::of_holdings(fixture.customer, user(1), 32).with_commits();
    let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&rows).to_string();
    let (text, _) = text.split_once("-- binds").expect("with its values");
    let plan = raw::plan(&fixture.store, text).await;
    let by_thing = "SEARCH changes USING INDEX changes_thing_idx (customer_id=? AND thing_id=?";
    let by_key = "SEARCH k USING PRIMARY KEY (customer_id=? AND last_seq=?)";
    assert!(plan.contains(by_thing) && plan.contains(by_key), "{plan}");
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
        .rows
        .summarize_violations(&other.catalogue, &any)
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn listed_customers_are_found_by_their_key_and_no_others_are_read() {
    if let Some(engine) = engine::postgres().await {
        engine.run(check_listed).await;
    }
}

async fn check_listed(fresh: Fresh) {
    const ASKED: i64 = 200;
    let fixture = fresh.fixture().await;
    raw::execute(&fixture.store, "ANALYZE").await;
    for number in 2..=40 {
        let (store, name) = (&fixture.store, display("Contoso"));
        let created = store.create_customer(customer(number), &name, &BY, NOW);
        created.await.expect("created");
    }
    let other = fixture.on_another_server().await;
    let among = Customers::Listed([3, 5, 7].map(customer).into());
    for _ in 0..ASKED {
        let page = other.store.customers(&among, Some("con"), &Place::Last, 9);
        assert_eq!(page.await.expect("a page").len(), 3);
    }
    drop(other); // what a connection counted is seen when it ends

    let (key, mut scans) = ("customers_pkey", BTreeMap::new());
    for _ in 0..10_000 {
        scans = index_scans(&fixture, "'customers'").await;
        if scans[key] >= 3 * ASKED {
            break;
        }
    }
    assert!(scans[key] >= 3 * ASKED, "{scans:?}");
    // To create a customer takes it three times while the table is believed to be small.
    assert!(scans["customers_sort_key_key"] < ASKED, "{scans:?}");
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
