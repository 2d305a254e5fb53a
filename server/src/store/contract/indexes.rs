//! Which indexes PostgreSQL takes while its tables are new, so that it believes them to be empty. On
//! SQLite, which counts no such thing, the choice does not depend on what is believed.

use std::collections::BTreeMap;

use super::engine::{self, Fresh};
use super::fixture::{BASIC, Fixture, OFFICE, assign};
use super::raw;

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
        scans = index_scans(&fixture).await;
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

/// How often each index of users and assignments was scanned.
async fn index_scans(fixture: &Fixture) -> BTreeMap<String, i64> {
    let query = "SELECT indexrelname || ' ' || idx_scan AS line FROM pg_stat_user_indexes \
                 WHERE relname IN ('users', 'assignments')";
    let lines = raw::lines(&fixture.store, query).await;
    let scan = |line: &String| {
        let (index, scans) = line.split_once(' ').expect("two words");
        (index.to_owned(), scans.parse().expect("a count"))
    };
    lines.iter().map(scan).collect()
}
