//! The whole database as text, to be compared with what it was.

use std::collections::BTreeMap;

use diesel::RunQueryDsl;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::Text;

use crate::harness::{Engine, Harness};

/// The rows of each table, in order.
pub(super) type Dump = BTreeMap<String, Vec<String>>;

/// The one column that is left out: asking shows a key, and its last use is noted to the minute.
const NOTED: (&str, &str) = ("api_keys", "used_at");

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every row of every table, but those of a customer.
pub(super) async fn without(server: &Harness, customer: &str) -> Dump {
    let own = format!("WHERE customer_id <> {}", server.id(customer));
    dump(server, &own, true).await
}

/// Every row of a customer.
pub(super) async fn of(server: &Harness, customer: &str) -> Dump {
    let foreign = format!("WHERE customer_id = {}", server.id(customer));
    dump(server, &foreign, false).await
}

/// The rows of the tables of customers that meet a condition, and those of other tables, if asked for.
async fn dump(server: &Harness, condition: &str, with_shared: bool) -> Dump {
    let mut dump = Dump::new();
    for table in lines(server, tables(server.engine())).await {
        let columns = lines(server, &columns(server.engine(), &table)).await;
        assert!(!columns.is_empty(), "{table} has columns");
        let is_distributed = columns.iter().any(|column| column == "customer_id");
        if !is_distributed && !with_shared {
            continue;
        }
        let condition = if is_distributed { condition } else { "" };
        let kept = columns
            .iter()
            .filter(|column| (&*table, column.as_str()) != NOTED);
        let kept: Vec<String> = kept.map(|column| show(server.engine(), column)).collect();
        let rows = format!(
            "SELECT {} AS line FROM {table} {condition} ORDER BY 1",
            kept.join(" || ' ' || ")
        );
        let rows = lines(server, &rows).await;
        dump.insert(table, rows);
    }
    dump
}

fn tables(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "SELECT name AS line FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        Engine::Postgres => {
            "SELECT table_name::text AS line FROM information_schema.tables \
             WHERE table_schema = 'public'"
        }
    }
}

fn columns(engine: Engine, table: &str) -> String {
    match engine {
        Engine::Sqlite => format!("SELECT name AS line FROM pragma_table_info('{table}')"),
        Engine::Postgres => format!(
            "SELECT column_name::text AS line FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}'"
        ),
    }
}

fn show(engine: Engine, column: &str) -> String {
    match engine {
        Engine::Sqlite => format!("'{column}=' || quote({column})"),
        Engine::Postgres => format!("'{column}=' || coalesce({column}::text, 'NULL')"),
    }
}

async fn lines(server: &Harness, query: &str) -> Vec<String> {
    match server.engine() {
        Engine::Sqlite => {
            let rows = diesel::sql_query(query).load::<Line>(&mut server.open_file());
            let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
            rows.into_iter().map(|row| row.line).collect()
        }
        Engine::Postgres => {
            let rows = server.connect().await.query(query, &[]).await;
            let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
            rows.iter().map(|row| row.get(0)).collect()
        }
    }
}

/// Checks that nothing was added, changed or removed.
pub(super) fn assert_same(before: &Dump, after: &Dump) {
    assert!(
        before.values().any(|rows| !rows.is_empty()),
        "there was something"
    );
    for (table, rows) in before {
        let now = &after[table];
        let gone: Vec<_> = rows.iter().filter(|row| !now.contains(row)).collect();
        let new: Vec<_> = now.iter().filter(|row| !rows.contains(row)).collect();
        assert!(
            gone.is_empty() && new.is_empty(),
            "{table}: {gone:#?} became {new:#?}"
        );
        assert_eq!(rows.len(), now.len(), "{table}");
    }
}
