//! The floor on SQLite: the rows wait in temporary tables in memory, and each statement of a
//! transaction copies those of its chunk.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::workload::Rows;

const SOURCE: &str = "CREATE TEMP TABLE work (customer_id BLOB, batch_id BLOB, edits BLOB);
    CREATE TEMP TABLE product (product_id BLOB PRIMARY KEY);
    CREATE TEMP TABLE source (place INTEGER PRIMARY KEY, user_id BLOB);
    CREATE TEMP TABLE stored (place INTEGER PRIMARY KEY, results BLOB);";
const BATCH: &str = "INSERT INTO batches (customer_id, batch_id, request_id, request_hash, state, \
    user_count, next_position, applied_count, unchanged_count, failed_count, skipped_count, terms, \
    capacity, stopped, tally, fence, lease_expires_at, created_at, results) \
    SELECT customer_id, batch_id, batch_id, x'', 1, (SELECT count(*) FROM source), \
    0, 0, 0, 0, 0, 0, 1, 0, x'', 1, 0, 0, 1 FROM work";

/// A transaction, on the users at the places from `b.first` to before `b.next`. CROSS JOIN keeps the
/// order of the loops. Records are numbered beyond what there is before anybody has a product, with
/// room for those of the licenses.
const TRANSACTION: [&str; 8] = [
    "INSERT INTO assignments (customer_id, user_id, product_id, choice_id, catalogue_version, \
     batch_id, assigned_at) \
     SELECT w.customer_id, s.user_id, p.product_id, 0, 1, w.batch_id, 1800000000000000 \
     FROM b CROSS JOIN work w CROSS JOIN source s CROSS JOIN product p \
     WHERE s.place >= b.first AND s.place < b.next",
    "UPDATE licenses SET assigned = assigned + b.next - b.first FROM b \
     WHERE customer_id = (SELECT customer_id FROM work)",
    "INSERT INTO changes (customer_id, seq, kind, thing_id, details) \
     SELECT w.customer_id, 1000000000 + 1000 * s.place, 1, s.user_id, w.edits \
     FROM b CROSS JOIN work w CROSS JOIN source s WHERE s.place >= b.first AND s.place < b.next",
    "INSERT INTO changes (customer_id, seq, kind, thing_id, details) \
     SELECT w.customer_id, 1000000000 + 1000 * b.first + p.rowid, 7, p.product_id, w.edits \
     FROM b CROSS JOIN work w CROSS JOIN product p",
    "INSERT INTO commits (customer_id, last_seq, first_seq, committed_at, hash, who, through, \
     batch_id, comment) SELECT w.customer_id, 1000000000 + 1000 * b.next, 1000000000 + 1000 * b.first, \
     1800000000000000, zeroblob(32), '', '', w.batch_id, '' FROM b CROSS JOIN work w",
    "UPDATE customers SET change_seq = 1000000000 + 1000 * b.next, change_hash = zeroblob(32), \
     changed_at = 1800000000000000 FROM b WHERE customer_id = (SELECT customer_id FROM work)",
    "INSERT INTO batch_results (customer_id, batch_id, first_position, result_count, first_seq, \
     change_count, dispositions, results, failed_user_ids) SELECT w.customer_id, w.batch_id, b.first, \
     b.next - b.first, 1000000000 + 1000 * b.first, b.next - b.first, zeroblob(b.next - b.first), \
     r.results, x'' FROM b CROSS JOIN work w CROSS JOIN stored r WHERE r.place = b.first",
    "UPDATE batches SET next_position = b.next, applied_count = b.next, \
     lease_expires_at = 1800000000000000 FROM b \
     WHERE (customer_id, batch_id) = (SELECT customer_id, batch_id FROM work)",
];

/// A statement with the places that it is about. Diesel prepares it once.
struct Statement {
    text: &'static str,
    first: i64,
    next: i64,
}

impl QueryFragment<Sqlite> for Statement {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql("WITH b (first, next) AS (VALUES (");
        pass.push_bind_param::<BigInt, _>(&self.first)?;
        pass.push_sql(", ");
        pass.push_bind_param::<BigInt, _>(&self.next)?;
        pass.push_sql(")) ");
        pass.push_sql(self.text);
        Ok(())
    }
}

impl QueryId for Statement {
    type QueryId = ();
    // Not known by type, so it is kept by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Conn> RunQueryDsl<Conn> for Statement {}

/// Writes the rows and says how long the transactions took.
pub(super) fn write(conn: &mut SqliteConnection, rows: &Rows) -> QueryResult<Duration> {
    let bounds = conn.transaction(|conn| fill(conn, rows))?;
    let begin = Instant::now();
    for (first, next) in bounds {
        conn.immediate_transaction(|conn| {
            for text in TRANSACTION {
                Statement { text, first, next }.execute(conn)?;
            }
            QueryResult::Ok(())
        })?;
    }
    Ok(begin.elapsed())
}

/// Puts the rows where the statements take them from; gives the bounds of each transaction.
fn fill(conn: &mut SqliteConnection, rows: &Rows) -> QueryResult<Vec<(i64, i64)>> {
    conn.batch_execute(SOURCE)?;
    diesel::sql_query("INSERT INTO work VALUES (?, ?, ?)")
        .bind::<Binary, _>(bytes(&rows.customer))
        .bind::<Binary, _>(bytes(&rows.batch))
        .bind::<Binary, _>(&rows.edits)
        .execute(conn)?;
    for product in &rows.products {
        let insert = diesel::sql_query("INSERT INTO product VALUES (?)");
        insert.bind::<Binary, _>(bytes(product)).execute(conn)?;
    }
    let mut bounds = Vec::with_capacity(rows.chunks.len());
    let mut place = 0i64;
    for chunk in &rows.chunks {
        let first = place;
        diesel::sql_query("INSERT INTO stored VALUES (?, ?)")
            .bind::<BigInt, _>(first)
            .bind::<Binary, _>(&chunk.results)
            .execute(conn)?;
        for user in &chunk.users {
            diesel::sql_query("INSERT INTO source VALUES (?, ?)")
                .bind::<BigInt, _>(place)
                .bind::<Binary, _>(bytes(user))
                .execute(conn)?;
            place += 1;
        }
        bounds.push((first, place));
    }
    conn.batch_execute(BATCH)?;
    Ok(bounds)
}

fn bytes(id: &Uuid) -> &[u8] {
    id.as_bytes()
}
