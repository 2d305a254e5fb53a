//! The schema and what survives a restart.

use std::collections::BTreeMap;
use std::time::Instant;

use super::engine::Fresh;
use super::fixture::{BY, NOW, OFFICE, assign, customer, display, scope};
use super::raw;
use crate::domain::{Customers, Place};
use crate::store::{AssignmentFilter, Db, Error, Location, Schema, Store};

pub(super) async fn an_empty_database_is_migrated_once(fresh: Fresh) {
    let store = fresh.store;
    assert_eq!(store.schema().await.expect("read"), Schema::Empty);
    let applied = store.migrate().await.expect("migrated");
    assert_eq!(applied, recorded(&store).await);
    assert_ne!(applied, 0);
    assert_eq!(store.schema().await.expect("read"), Schema::Current);
    let before = raw::contents(&store).await;
    assert_eq!(store.migrate().await.expect("migrated"), 0);
    assert_eq!(store.schema().await.expect("read"), Schema::Current);
    assert_eq!(raw::contents(&store).await, before);
}

pub(super) async fn a_schema_that_is_not_the_programs_is_recognised(fresh: Fresh) {
    const MIGRATIONS: &str = "__diesel_schema_migrations";
    let store = fresh.store;
    store.migrate().await.expect("migrated");
    let schema = async || store.schema().await.expect("read");

    raw::execute(
        &store,
        &format!("INSERT INTO {MIGRATIONS} (version) VALUES ('9999')"),
    )
    .await;
    assert_eq!(schema().await, Schema::Newer("9999".to_owned()));
    raw::execute(
        &store,
        &format!("DELETE FROM {MIGRATIONS} WHERE version = '9999'"),
    )
    .await;
    assert_eq!(schema().await, Schema::Current);

    for missing in 1..=2 {
        let last = format!("(SELECT MAX(version) FROM {MIGRATIONS})");
        raw::execute(
            &store,
            &format!("DELETE FROM {MIGRATIONS} WHERE version = {last}"),
        )
        .await;
        assert_eq!(schema().await, Schema::Behind(missing));
    }
    raw::execute(
        &store,
        &format!("DELETE FROM {MIGRATIONS} WHERE version = '0001'"),
    )
    .await;
    assert!(matches!(schema().await, Schema::Dirty(_)), "a gap");
    raw::execute(&store, &format!("DELETE FROM {MIGRATIONS}")).await;
    assert!(
        matches!(schema().await, Schema::Dirty(_)),
        "tables of which nothing is recorded"
    );
}

pub(super) async fn a_database_of_something_else_is_not_taken_for_empty(fresh: Fresh) {
    raw::execute(&fresh.store, "CREATE TABLE invoices (id INTEGER NOT NULL)").await;
    let schema = fresh.store.schema().await.expect("read");
    assert!(
        matches!(&schema, Schema::Dirty(why) if why.contains("invoices")),
        "{schema:?}"
    );
}

pub(super) async fn servers_that_migrate_at_once_take_turns(fresh: Fresh) {
    let migrate = |store: Store| {
        tokio::spawn(async move {
            let begin = Instant::now();
            let applied = store.migrate().await.expect("migrated");
            (applied, begin, Instant::now())
        })
    };
    let (one, other) = (fresh.store.clone(), fresh.another_server().await);
    let (one, other) = (migrate(one), migrate(other));
    let (one, other) = (one.await.expect("no panic"), other.await.expect("no panic"));
    assert!(
        one.1 < other.2 && other.1 < one.2,
        "they did not overlap: this shows nothing"
    );
    assert_eq!(one.0.min(other.0), 0);
    assert_eq!(one.0.max(other.0), recorded(&fresh.store).await);
    assert_eq!(fresh.store.schema().await.expect("read"), Schema::Current);
}

async fn recorded(store: &Store) -> usize {
    raw::lines(
        store,
        "SELECT version AS line FROM __diesel_schema_migrations",
    )
    .await
    .len()
}

/// A file has one server, PostgreSQL any number.
pub(super) async fn a_second_server_opens_only_what_can_be_shared(fresh: Fresh) {
    let Fresh { store, location } = fresh;
    match (&location, Store::open(&location).await) {
        (Location::Postgres(_), second) => drop(second.expect("welcome")),
        (Location::Sqlite(_), Err(Error::Unavailable(why))) => {
            assert!(why.contains("in use"), "{why}");
        }
        (Location::Sqlite(_), second) => panic!("not refused: {:?}", second.err()),
    }
    drop(store);
    Store::open(&location).await.expect("nobody has it open");
}

/// Migrations, `schema.rs` and both engines agree about every column, its type and its nulls.
pub(super) async fn the_tables_are_those_of_the_program(fresh: Fresh) {
    let store = fresh.store;
    store.migrate().await.expect("migrated");
    let types = |ty: &str| match (ty, &store.db) {
        ("Guid", Db::Postgres(_)) => "uuid",
        ("Text", Db::Postgres(_)) => "text",
        ("Bool", Db::Postgres(_)) => "boolean",
        ("Binary", Db::Postgres(_)) => "bytea",
        ("SmallInt", Db::Postgres(_)) => "smallint",
        ("Integer", Db::Postgres(_)) => "integer",
        ("BigInt", Db::Postgres(_)) => "bigint",
        ("Instant", Db::Postgres(_)) => "timestamp with time zone",
        ("Guid" | "Binary", Db::Sqlite(_)) => "BLOB",
        ("Text", Db::Sqlite(_)) => "TEXT",
        ("Bool" | "SmallInt" | "Integer" | "BigInt" | "Instant", Db::Sqlite(_)) => "INTEGER",
        _ => panic!("what is {ty}?"),
    };
    let mut names = vec!["__diesel_schema_migrations".to_owned()];
    for (table, columns) in program() {
        let column = |(name, ty): &(&str, &str)| {
            let nullable = ty
                .strip_prefix("Nullable<")
                .and_then(|ty| ty.strip_suffix('>'));
            let null = if nullable.is_some() { " null" } else { "" };
            format!("{name} {}{null}", types(nullable.unwrap_or(ty)))
        };
        let expected: Vec<String> = columns.iter().map(column).collect();
        assert_eq!(raw::columns(&store, table).await, expected, "{table}");
        names.push(table.to_owned());
    }
    names.sort();
    assert_eq!(raw::tables(&store).await, names);
}

/// The tables of `schema.rs`, each with the name and type of its columns.
fn program() -> BTreeMap<&'static str, Vec<(&'static str, &'static str)>> {
    let mut tables = BTreeMap::<_, Vec<_>>::new();
    let mut table = "";
    for line in include_str!("../schema.rs").lines().map(str::trim) {
        if let Some((name, ty)) = line.split_once(" -> ") {
            tables
                .entry(table)
                .or_default()
                .push((name, ty.trim_end_matches(',')));
        } else if let Some((name, _)) = line.strip_suffix(") {").and_then(|l| l.split_once(" (")) {
            table = name;
        }
    }
    assert!(
        tables.len() >= 14,
        "schema.rs was not understood: {tables:?}"
    );
    tables
}

pub(super) async fn the_token_key_is_made_once_and_kept(fresh: Fresh) {
    let Fresh { store, location } = fresh;
    store.migrate().await.expect("migrated");
    assert_eq!(store.token_key(b"first").await.expect("a key"), b"first");
    assert_eq!(store.token_key(b"second").await.expect("a key"), b"first");
    drop(store);
    let store = Store::open(&location).await.expect("opened");
    assert_eq!(store.token_key(b"third").await.expect("a key"), b"first");
}

/// Promise 1, as far as a process can see it that does not crash.
pub(super) async fn what_was_written_is_there_after_a_restart(fresh: Fresh) {
    let location = fresh.location.clone();
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 1).await;
    let users = fixture.create_users(1..=2).await;
    assert_eq!(fixture.run(1, &users, assign(&[OFFICE])).await, "AF");
    let before = raw::contents(&fixture.store).await;
    let id = fixture.customer;
    drop(fixture);

    let store = Store::open(&location).await.expect("opened");
    assert_eq!(raw::contents(&store).await, before);
    let name = display("Fabrikam");
    store
        .create_customer(customer(2), &name, &BY, NOW)
        .await
        .expect("writes go on");
    assert_eq!(
        store
            .customers(&Customers::All, None, &Place::First, 9)
            .await
            .expect("read")
            .len(),
        2
    );
    assert_eq!(
        store
            .of(scope(id))
            .assignments(AssignmentFilter::default(), &Place::First, 9)
            .await
            .expect("read")
            .len(),
        1
    );
}
