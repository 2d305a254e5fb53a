//! Looks into the tables, past the store.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use super::fixture::Fixture;
use crate::domain::{BatchId, Edit, UserId};
use crate::store::codec::decode_edits;
use crate::store::schema::{changes as ch, commits as k, plan_choices as pc};
use crate::store::types::Id;
use crate::store::{Db, Error, Refusal, Store};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Runs a query with one column named `line`.
pub(super) async fn lines(store: &Store, query: &str) -> Vec<String> {
    let rows =
        async { read!(store, conn => { diesel::sql_query(query).load::<Line>(conn).await }) };
    rows.await
        .expect(query)
        .into_iter()
        .map(|row| row.line)
        .collect()
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// How SQLite goes about a statement, a step a line.
pub(super) async fn plan(store: &Store, statement: &str) -> String {
    let query = format!("EXPLAIN QUERY PLAN {statement}");
    let steps =
        async { read!(store, conn => { diesel::sql_query(query).load::<Step>(conn).await }) };
    let steps = steps.await.expect(statement).into_iter();
    steps.map(|step| step.detail + "\n").collect()
}

/// Changes the database behind the store's back.
pub(super) async fn execute(store: &Store, statement: &str) {
    let done = async {
        write_tx!(store, conn => { Ok(diesel::sql_query(statement).execute(conn).await?) })
    };
    done.await.expect(statement);
}

/// Does several things at once behind the store's back.
pub(super) async fn execute_all(store: &Store, statements: &[String]) {
    let done = async {
        write_tx!(store, conn => {
            for statement in statements {
                diesel::sql_query(statement).execute(conn).await?;
            }
            Ok::<_, Error>(())
        })
    };
    done.await.expect("done");
}

/// How many rows a table has.
pub(super) async fn count(store: &Store, table: &str) -> usize {
    contents(store).await[table].len()
}

/// The names of all tables.
pub(super) async fn tables(store: &Store) -> Vec<String> {
    let query = match &store.db {
        Db::Postgres(_) => {
            "SELECT CAST(tablename AS text) AS line FROM pg_catalog.pg_tables \
             WHERE schemaname = 'public' ORDER BY CAST(tablename AS text) COLLATE \"C\""
        }
        Db::Sqlite(_) => {
            "SELECT name AS line FROM sqlite_schema WHERE type = 'table' \
             AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
    };
    lines(store, query).await
}

/// The columns of a table in order: name, type and whether it can be null.
pub(super) async fn columns(store: &Store, table: &str) -> Vec<String> {
    let query = match &store.db {
        Db::Postgres(_) => format!(
            "SELECT column_name || ' ' || data_type || CASE is_nullable WHEN 'YES' THEN ' null' \
             ELSE '' END AS line FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        ),
        Db::Sqlite(_) => format!(
            "SELECT name || ' ' || type || CASE \"notnull\" WHEN 0 THEN ' null' ELSE '' END \
             AS line FROM pragma_table_info('{table}') ORDER BY cid"
        ),
    };
    lines(store, &query).await
}

/// Everything in every table.
pub(super) async fn contents(store: &Store) -> BTreeMap<String, Vec<String>> {
    let mut contents = BTreeMap::new();
    for table in tables(store).await {
        let query = match &store.db {
            Db::Postgres(_) => {
                format!("SELECT CAST(t AS text) AS line FROM {table} AS t ORDER BY 1")
            }
            Db::Sqlite(_) => {
                let columns = columns(store, &table).await;
                let names = columns.iter().filter_map(|column| column.split(' ').next());
                let values: Vec<_> = names.map(|name| format!("quote({name})")).collect();
                format!(
                    "SELECT {} AS line FROM {table} ORDER BY 1",
                    values.join(" || ',' || ")
                )
            }
        };
        contents.insert(table, lines(store, &query).await);
    }
    contents
}

/// The refusal of a call, which must not have written anything.
pub(super) async fn refusal<T: std::fmt::Debug>(
    store: &Store,
    call: impl Future<Output = Result<T, Error>>,
) -> Refusal {
    match failure(store, call).await {
        Error::Refused(refusal) => refusal,
        error => panic!("not a refusal: {error:?}"),
    }
}

/// The error of a call, which must not have written anything.
pub(super) async fn failure<T: std::fmt::Debug>(
    store: &Store,
    call: impl Future<Output = Result<T, Error>>,
) -> Error {
    let before = contents(store).await;
    let error = call.await.expect_err("refused");
    assert_eq!(
        contents(store).await,
        before,
        "written in spite of: {error}"
    );
    error
}

/// A record of what a user holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChangeRow {
    pub(super) user: UserId,
    pub(super) batch: Option<BatchId>,
    pub(super) edits: Vec<Edit>,
}

/// What is recorded of the holdings of the fixture's customer's users, in order.
pub(super) async fn changes(fixture: &Fixture) -> Vec<ChangeRow> {
    let store = &fixture.store;
    let query = ch::table
        .inner_join(
            k::table.on(k::customer_id
                .eq(ch::customer_id)
                .and(ch::seq.between(k::first_seq, k::last_seq))),
        )
        .filter(ch::customer_id.eq(Id::from(fixture.customer)))
        .filter(ch::kind.eq(1))
        .order(ch::seq)
        .select((ch::thing_id, k::batch_id, ch::details));
    type Row = (Id, Option<Id>, Vec<u8>);
    let rows = async { read!(store, conn => { query.load::<Row>(conn).await }) };
    let row = |(user, batch, edits): Row| ChangeRow {
        user: user.into(),
        batch: batch.map(BatchId::from),
        edits: decode_edits(&edits).expect("edits"),
    };
    rows.await.expect("changes").into_iter().map(row).collect()
}

/// The interned choices of the fixture's customer: number, whether only the named plans are on, and
/// how many are named.
pub(super) async fn choices(fixture: &Fixture) -> Vec<(i32, bool, usize)> {
    let store = &fixture.store;
    let query = pc::table
        .filter(pc::customer_id.eq(Id::from(fixture.customer)))
        .order(pc::choice_id)
        .select((pc::choice_id, pc::only_named, pc::plan_ids));
    type Row = (i32, bool, Vec<u8>);
    let rows = async { read!(store, conn => { query.load::<Row>(conn).await }) };
    let row = |(id, only, plans): Row| (id, only, plans.len() / 16);
    rows.await.expect("choices").into_iter().map(row).collect()
}

/// Numbers of the whole database at one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub(super) struct Totals {
    #[diesel(sql_type = BigInt)]
    pub(super) assigned: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) assignable: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) assignments: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) applied: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) next_position: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) results: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) changes: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) last_seq: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) change_seq: i64,
}

/// The journal without the part that is the installation's.
const OF_CUSTOMERS: &str = "changes INNER JOIN customers USING (customer_id)";

/// Reads them in one statement, which sees one moment.
pub(super) async fn totals(store: &Store) -> Totals {
    let of = |what: &str, table: &str, name: &str| {
        format!("(SELECT CAST(COALESCE({what}, 0) AS bigint) FROM {table}) AS {name}")
    };
    let query = format!(
        "SELECT {}",
        [
            of("SUM(assigned)", "licenses", "assigned"),
            of("SUM(enabled + warning)", "licenses", "assignable"),
            of("COUNT(*)", "assignments", "assignments"),
            of("SUM(applied_count)", "batches", "applied"),
            of("SUM(next_position)", "batches", "next_position"),
            of("SUM(result_count)", "batch_results", "results"),
            of("COUNT(*)", OF_CUSTOMERS, "changes"),
            of("MAX(seq)", OF_CUSTOMERS, "last_seq"),
            of("MAX(change_seq)", "customers", "change_seq"),
        ]
        .join(", ")
    );
    let totals = async {
        read!(store, conn => { diesel::sql_query(&query).get_result::<Totals>(conn).await })
    };
    totals.await.expect("totals")
}
