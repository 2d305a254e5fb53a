//! The journal on PostgreSQL: one insert for all records, in one round trip with the commit.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::{TryFutureExt, try_join};

use crate::domain::{Commit, CustomerId, INSTALLATION};
use crate::store::error::Error;
use crate::store::record::{Draft, Head, HeadRow};
use crate::store::schema::{customers as c, installation as i};
use crate::store::sql::{Sql, sql};
use crate::store::types::{Guid, Id, Instant, Timestamp};

type Statement<'a> = Sql<'a, diesel::pg::Pg>;

/// The end of a chain.
pub(in crate::store) async fn head(
    conn: &mut AsyncPgConnection,
    chain: CustomerId,
) -> Result<Head, Error> {
    let head: HeadRow = if chain == INSTALLATION {
        let head = i::table
            .find(1)
            .select((i::change_seq, i::change_hash, i::changed_at));
        head.get_result(conn).await?
    } else {
        let head =
            c::table
                .find(Id::from(chain))
                .select((c::change_seq, c::change_hash, c::changed_at));
        head.get_result(conn).await?
    };
    head.try_into()
}

/// Writes a commit after `head`.
pub(in crate::store) async fn write(
    conn: &AsyncPgConnection,
    head: &Head,
    draft: &Draft,
) -> Result<(), Error> {
    let (commit, hash) = draft.link(head);
    // Futures on one shared connection are pipelined.
    try_join!(
        exactly(
            conn,
            "changes",
            draft.rows.len(),
            insert_changes(draft, &commit)
        ),
        exactly(conn, "commits", 1, insert_commit(&commit, hash)),
        exactly(conn, "chain", 1, update_head(&commit, hash)),
    )?;
    Ok(())
}

/// Runs a statement that must touch exactly so many rows.
async fn exactly(
    mut conn: &AsyncPgConnection,
    what: &'static str,
    expected: usize,
    statement: Statement<'_>,
) -> Result<(), Error> {
    let written = statement.execute(&mut conn).err_into::<Error>().await?;
    crate::store::error::expect_rows(what, expected, written)
}

/// The id comes from the customer's row, so that Citus knows the shard.
fn insert_changes<'a>(draft: &'a Draft, commit: &Commit) -> Statement<'a> {
    let rows = &draft.rows;
    let seqs: Vec<i64> = (commit.first_seq..=commit.last_seq).collect();
    let kinds: Vec<i16> = rows.iter().map(|row| row.kind).collect();
    let things: Vec<Id> = rows.iter().map(|row| row.thing).collect();
    let details: Vec<&[u8]> = rows.iter().map(|row| &row.details[..]).collect();
    let insert = sql("INSERT INTO changes (customer_id, seq, kind, thing_id, details) SELECT ");
    let insert = if commit.customer == INSTALLATION {
        let insert = insert.bind::<Guid, _>(Id::from(INSTALLATION));
        insert.sql(", t.seq, t.kind, t.thing_id, t.details FROM installation AS c")
    } else {
        insert.sql("c.customer_id, t.seq, t.kind, t.thing_id, t.details FROM customers AS c")
    };
    let insert = insert
        .sql(" CROSS JOIN unnest(")
        .bind::<Array<BigInt>, _>(seqs)
        .sql(", ")
        .bind::<Array<SmallInt>, _>(kinds)
        .sql(", ")
        .bind::<Array<Guid>, _>(things)
        .sql(", ")
        .bind::<Array<Binary>, _>(details)
        .sql(") AS t(seq, kind, thing_id, details)");
    if commit.customer == INSTALLATION {
        return insert;
    }
    let insert = insert.sql(" WHERE c.customer_id = ");
    insert.bind::<Guid, _>(Id::from(commit.customer))
}

fn insert_commit<'a>(commit: &Commit, hash: [u8; 32]) -> Statement<'a> {
    let Commit { origin, .. } = commit;
    sql("INSERT INTO commits (customer_id, last_seq, first_seq, committed_at, hash, who, through, request_id, batch_id, comment) VALUES (")
        .bind::<Guid, _>(Id::from(commit.customer))
        .sql(", ")
        .bind::<BigInt, _>(commit.last_seq)
        .sql(", ")
        .bind::<BigInt, _>(commit.first_seq)
        .sql(", ")
        .bind::<Instant, _>(Timestamp(commit.at))
        .sql(", ")
        .bind::<Binary, _>(hash.to_vec())
        .sql(", ")
        .bind::<Text, _>(origin.who.clone())
        .sql(", ")
        .bind::<Text, _>(origin.through.clone())
        .sql(", ")
        .bind::<Nullable<Guid>, _>(origin.request.map(Id::from))
        .sql(", ")
        .bind::<Nullable<Guid>, _>(commit.batch.map(Id::from))
        .sql(", ")
        .bind::<Text, _>(origin.comment.as_str().to_owned())
        .sql(")")
}

fn update_head<'a>(commit: &Commit, hash: [u8; 32]) -> Statement<'a> {
    let update = sql(if commit.customer == INSTALLATION {
        "UPDATE installation SET change_seq = "
    } else {
        "UPDATE customers SET change_seq = "
    });
    let update = update
        .bind::<BigInt, _>(commit.last_seq)
        .sql(", change_hash = ")
        .bind::<Binary, _>(hash.to_vec())
        .sql(", changed_at = ")
        .bind::<Instant, _>(Timestamp(commit.at));
    if commit.customer == INSTALLATION {
        return update.sql(" WHERE id = 1");
    }
    let update = update.sql(" WHERE customer_id = ");
    update.bind::<Guid, _>(Id::from(commit.customer))
}
