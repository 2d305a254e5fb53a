//! When something is in the way: other transactions, lost connections, a decision that panics.

use std::sync::{Arc, Mutex, mpsc};

use diesel_async::{AsyncConnection, SimpleAsyncConnection};

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, OFFICE, assign, by_id, new_user, user};
use super::{overlap, raw};
use crate::domain::Snapshot;
use crate::store::{Chunk, Db, Decide, Error, Location, SeatsUpdate, postgres, sqlite};

/// Shortens how long the store's connection waits for another transaction.
async fn be_impatient(fixture: &Fixture) {
    match &fixture.store.db {
        Db::Postgres(pool) => {
            let mut conn = pool.get().await.expect("the one connection");
            conn.batch_execute("SET lock_timeout = '100ms'")
                .await
                .expect("set");
        }
        Db::Sqlite(db) => {
            let mut writer = db.writer.lock().await;
            writer
                .batch_execute("PRAGMA busy_timeout = 100")
                .await
                .expect("set");
        }
    }
}

/// Tries every kind of write to the customer; each is a conflict and writes nothing.
async fn assert_conflicts(fixture: &Fixture, chunk: &Chunk) {
    let Fixture { store, rows, .. } = fixture;
    let conflict =
        |error: Error, what| assert!(matches!(error, Error::Conflict(_)), "{what}: {error:?}");
    let create = rows.create_user(new_user(9, "new@x"), &BY, NOW);
    conflict(raw::failure(store, create).await, "create_user");
    let one = by_id(user(1));
    let delete = rows.delete_user(&one, None, &BY, NOW);
    conflict(raw::failure(store, delete).await, "delete_user");
    let import = rows.import_users(Vec::new(), &BY, NOW);
    conflict(raw::failure(store, import).await, "import_users");
    let seats = rows.set_seats(OFFICE, SeatsUpdate::default(), &BY, NOW);
    conflict(raw::failure(store, seats).await, "set_seats");
    let request = fixture.request(2, &[user(1)], assign(&[OFFICE]));
    conflict(
        raw::failure(store, fixture.try_accept(&request)).await,
        "accept_batch",
    );
    let decide: Decide = Arc::new(|_: &Snapshot| panic!("decided without the lock"));
    let write = rows.write_chunk(Arc::new(chunk.clone()), decide);
    conflict(raw::failure(store, write).await, "write_chunk");
}

pub(super) async fn another_transaction_in_the_way_is_a_conflict_that_wrote_nothing(fresh: Fresh) {
    let location = fresh.location.clone();
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    let users = fixture.create_users(1..=2).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    let chunk = fixture.chunk(&batch, 0).await;
    be_impatient(&fixture).await;
    match &location {
        Location::Postgres(url) => {
            let mut other = postgres::connect(url).await.expect("connected");
            let lock = "BEGIN; SELECT FROM customers FOR NO KEY UPDATE";
            other.batch_execute(lock).await.expect("locked");
            assert_conflicts(&fixture, &chunk).await;
            other.batch_execute("ROLLBACK").await.expect("unlocked");
        }
        Location::Sqlite(path) => {
            let path = path.to_str().expect("UTF-8");
            let mut other = sqlite::Connection::establish(path)
                .await
                .expect("connected");
            other
                .batch_execute("BEGIN IMMEDIATE")
                .await
                .expect("locked");
            assert_conflicts(&fixture, &chunk).await;
            other.batch_execute("ROLLBACK").await.expect("unlocked");
        }
    }
    assert_eq!(fixture.work(&batch).await, "AA");
    let again = fixture
        .accept(&fixture.request(2, &users, assign(&[OFFICE])))
        .await;
    assert_eq!(fixture.work(&again).await, "UU");
}

/// A file has no connection to lose.
pub(super) async fn a_lost_connection_is_an_outage_and_is_replaced(fresh: Fresh) {
    let Location::Postgres(url) = fresh.location.clone() else {
        return;
    };
    const KILL: &str = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    let users = fixture.create_users(1..=2).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    let chunk = Arc::new(fixture.chunk(&batch, 0).await);
    let before = raw::contents(&fixture.store).await;

    // Lost between what the chunk read and what it writes.
    let mut other = postgres::connect(&url).await.expect("connected");
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let wait = move || {
        gate.lock()
            .expect("one at a time")
            .recv()
            .expect("told to go on")
    };
    let (decide, begun) = overlap::slow(fixture.decision(&chunk), wait);
    let (rows, lost) = (fixture.rows.clone(), chunk.clone());
    let write = tokio::spawn(async move { rows.write_chunk(lost, decide).await });
    begun.notified().await;
    other.batch_execute(KILL).await.expect("killed");
    go_on.send(()).expect("waiting");
    let error = write.await.expect("no panic").expect_err("lost");
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(raw::contents(&fixture.store).await, before);

    // Lost while nobody used it: at most one call notices.
    other.batch_execute(KILL).await.expect("killed");
    match fixture.rows.customer().await {
        Ok(_) | Err(Error::Unavailable(_)) => {}
        Err(error) => panic!("{error:?}"),
    }
    assert_eq!(fixture.work(&batch).await, "AA");
}

pub(super) async fn a_decision_that_panics_harms_nobody_else(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    let users = fixture.create_users(1..=2).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    let before = raw::contents(&fixture.store).await;
    let chunk = Arc::new(fixture.chunk(&batch, 0).await);
    let rows = fixture.rows.clone();
    let write = tokio::spawn(async move {
        let decide: Decide = Arc::new(|_: &Snapshot| panic!("as this check means it to"));
        rows.write_chunk(chunk, decide).await
    });
    let outcome = write.await;
    assert!(!matches!(outcome, Ok(Ok(_))), "{outcome:?}");
    assert_eq!(raw::contents(&fixture.store).await, before);
    assert_eq!(fixture.work(&batch).await, "AA");
}
