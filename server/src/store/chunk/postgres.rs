//! A chunk on PostgreSQL: one round trip for the lock, one for all reads, one for all writes. Sets
//! travel as arrays; each statement has the customer's id, so that it stays on one shard.
//!
//! Inserts of many rows take the customer's id from the batch's row: with a bare `unnest`, Citus would
//! not know the shard and commit in two phases.

use bb8::PooledConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, SmallInt};
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join_all;
use futures_util::{FutureExt, TryFutureExt, try_join};

use super::{
    Chunk, Counts, Decide, Decision, Holdings, Interned, Marks, Rows, Standing, StandingRow,
    Written, draft, obstacle,
};
use crate::domain::{ChoiceId, Choices, CustomerId, PlanChoice, Record, Snapshot};
use crate::store::batches::{ENDED, RUNNING};
use crate::store::codec::encode_plans;
use crate::store::error::{Error, expect_rows, unavailable};
use crate::store::journal;
use crate::store::record::{Draft, Head, HeadRow};
use crate::store::schema::{batches as b, customers as c, installation as i, plan_choices as pc};
use crate::store::snapshot::postgres::{complete, read_snapshot};
use crate::store::sql::{Sql, sql};
use crate::store::types::{Guid, Id, Instant};

pub(super) async fn write_chunk(
    pool: &Pool<AsyncPgConnection>,
    customer: CustomerId,
    chunk: &Chunk,
    decide: &Decide,
) -> Result<Written, Error> {
    let mut conn: PooledConnection<'_, AsyncDieselConnectionManager<AsyncPgConnection>> =
        pool.get().await.map_err(unavailable)?;
    let conn: &mut AsyncPgConnection = &mut conn;
    conn.transaction(async |conn| {
        let head = lock(conn, customer).await?;
        let (standing, mut snapshot) = read(conn, customer, chunk).await?;
        if let Some(obstacle) = obstacle(chunk, &standing) {
            return Ok(obstacle);
        }
        snapshot.progress = standing.progress.clone();
        complete(conn, customer, &chunk.order, &mut snapshot).await?;
        let Decision { plan, results } = decide(&snapshot);
        let counts = Counts::new(&snapshot, &chunk.order, &plan);
        let interned = intern(conn, customer, &plan.new_choices, &mut snapshot.choices).await?;
        let mut rows = Rows::new(chunk, &snapshot, &plan, &interned);
        let records = std::mem::take(&mut rows.records);
        let commit = draft(customer, chunk, &standing, &counts, records);
        write(
            conn,
            customer,
            chunk,
            (&head, &commit),
            &rows,
            &counts,
            results,
        )
        .await?;
        Ok(Written::Done(snapshot.choices))
    })
    .await
}

/// Takes the customer's lock, in a round trip of its own: nothing may be read before it is held.
async fn lock(conn: &mut AsyncPgConnection, customer: CustomerId) -> Result<Head, Error> {
    let head =
        c::table
            .find(Id::from(customer))
            .select((c::change_seq, c::change_hash, c::changed_at));
    let head: HeadRow = head.for_no_key_update().get_result(conn).await?;
    head.try_into()
}

async fn read(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    chunk: &Chunk,
) -> Result<(Standing, Snapshot), Error> {
    let standing = b::table
        .find((Id::from(customer), Id::from(chunk.batch)))
        .select((
            b::next_position,
            b::fence,
            b::applied_count,
            b::unchanged_count,
            b::failed_count,
            b::skipped_count,
            b::stopped,
            b::tally,
        ));
    let version = i::table.find(1).select(i::catalogue_version);
    // Futures on one shared connection are pipelined.
    let (mut c1, mut c2) = (conn, conn);
    let (standing, version, snapshot) = try_join!(
        standing.first::<StandingRow>(&mut c1).err_into(),
        version.first::<i64>(&mut c2).err_into(),
        read_snapshot(conn, customer, &chunk.order, chunk.choices.clone()),
    )?;
    Ok((Standing::new(standing, version)?, snapshot))
}

/// Gives new choices their numbers. The customer's lock makes "one more than the highest" safe.
async fn intern(
    conn: &mut AsyncPgConnection,
    customer: CustomerId,
    new: &[PlanChoice],
    choices: &mut Choices,
) -> Result<Interned, Error> {
    let mut interned = Interned::default();
    for choice in new {
        let (only, plans) = (
            matches!(choice, PlanChoice::Only(_)),
            encode_plans(choice.plans()),
        );
        let mine = pc::table.filter(pc::customer_id.eq(Id::from(customer)));
        let known: Option<i32> = mine
            .filter(pc::only_named.eq(only))
            .filter(pc::plan_ids.eq(&plans))
            .select(pc::choice_id)
            .first(conn)
            .await
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                let highest: Option<i32> = mine
                    .select(diesel::dsl::max(pc::choice_id))
                    .first(conn)
                    .await?;
                let number = highest.unwrap_or(0) + 1;
                let row = (
                    pc::customer_id.eq(Id::from(customer)),
                    pc::choice_id.eq(number),
                    pc::only_named.eq(only),
                    pc::plan_ids.eq(plans),
                );
                diesel::insert_into(pc::table)
                    .values(row)
                    .execute(conn)
                    .await?;
                let (id, plans) = (ChoiceId(number), choice.clone());
                interned
                    .numbered
                    .push(Record::ChoiceNumbered(customer, id, plans));
                number
            }
        };
        choices.insert(ChoiceId(number), choice.clone());
        interned.numbers.push(number);
    }
    Ok(interned)
}

async fn write(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    chunk: &Chunk,
    (head, commit): (&Head, &Draft),
    rows: &Rows,
    counts: &Counts,
    results: Vec<(usize, Vec<u8>)>,
) -> Result<(), Error> {
    let mut writes = vec![update_batch(conn, customer, chunk, counts).boxed()];
    let mut first = chunk.first_position;
    let mut marks = rows.marks(head.seq + 1);
    for (count, part) in results {
        let place = (first, count as i64);
        writes.push(insert_results(conn, customer, chunk, place, part, marks).boxed());
        first += count as i64;
        marks = Marks::default();
    }
    if !rows.inserts.is_empty() {
        writes.push(insert_assignments(conn, customer, chunk, &rows.inserts).boxed());
    }
    if !rows.updates.is_empty() {
        writes.push(update_assignments(conn, customer, chunk, &rows.updates).boxed());
    }
    if !rows.deletes.is_empty() {
        writes.push(delete_assignments(conn, customer, &rows.deletes).boxed());
    }
    if !rows.products.is_empty() {
        writes.push(update_seats(conn, customer, rows).boxed());
    }
    if !commit.rows.is_empty() {
        writes.push(journal::postgres::write(conn, head, commit).boxed());
    }
    try_join_all(writes).await?;
    Ok(())
}

/// Runs a statement that must touch exactly so many rows.
async fn exactly(
    mut conn: &AsyncPgConnection,
    what: &'static str,
    expected: usize,
    statement: Sql<'_, diesel::pg::Pg>,
) -> Result<(), Error> {
    let written = statement.execute(&mut conn).err_into::<Error>().await?;
    expect_rows(what, expected, written)
}

async fn insert_assignments(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    chunk: &Chunk,
    new: &Holdings,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO assignments (customer_id, user_id, product_id, choice_id, catalogue_version, batch_id, assigned_at) SELECT b.customer_id, t.user_id, t.product_id, t.choice_id, ")
        .bind::<BigInt, _>(chunk.catalogue_version)
        .sql(", b.batch_id, ")
        .bind::<Instant, _>(chunk.now)
        .sql(" FROM batches AS b CROSS JOIN unnest(")
        .bind::<Array<Guid>, _>(&new.users[..])
        .sql(", ")
        .bind::<Array<Guid>, _>(&new.products[..])
        .sql(", ")
        .bind::<Array<Integer>, _>(&new.choices[..])
        .sql(") AS t(user_id, product_id, choice_id) WHERE b.customer_id = ")
        .bind::<Guid, _>(Id::from(customer))
        .sql(" AND b.batch_id = ")
        .bind::<Guid, _>(Id::from(chunk.batch));
    exactly(conn, "assignments", new.users.len(), statement).await
}

async fn update_assignments(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    chunk: &Chunk,
    changed: &Holdings,
) -> Result<(), Error> {
    let statement =
        sql("UPDATE assignments AS a SET choice_id = t.choice_id, catalogue_version = ")
            .bind::<BigInt, _>(chunk.catalogue_version)
            .sql(" FROM unnest(")
            .bind::<Array<Guid>, _>(&changed.users[..])
            .sql(", ")
            .bind::<Array<Guid>, _>(&changed.products[..])
            .sql(", ")
            .bind::<Array<Integer>, _>(&changed.choices[..])
            .sql(") AS t(user_id, product_id, choice_id) WHERE a.customer_id = ")
            .bind::<Guid, _>(Id::from(customer))
            .sql(" AND a.user_id = t.user_id AND a.product_id = t.product_id");
    exactly(conn, "changed assignments", changed.users.len(), statement).await
}

async fn delete_assignments(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    gone: &Holdings,
) -> Result<(), Error> {
    let statement = sql("DELETE FROM assignments AS a USING unnest(")
        .bind::<Array<Guid>, _>(&gone.users[..])
        .sql(", ")
        .bind::<Array<Guid>, _>(&gone.products[..])
        .sql(") AS t(user_id, product_id) WHERE a.customer_id = ")
        .bind::<Guid, _>(Id::from(customer))
        .sql(" AND a.user_id = t.user_id AND a.product_id = t.product_id");
    exactly(conn, "revoked assignments", gone.users.len(), statement).await
}

async fn update_seats(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    rows: &Rows,
) -> Result<(), Error> {
    let statement = sql("UPDATE licenses AS l SET assigned = l.assigned + t.delta FROM unnest(")
        .bind::<Array<Guid>, _>(&rows.products[..])
        .sql(", ")
        .bind::<Array<BigInt>, _>(&rows.deltas[..])
        .sql(") AS t(product_id, delta) WHERE l.customer_id = ")
        .bind::<Guid, _>(Id::from(customer))
        .sql(" AND l.product_id = t.product_id");
    exactly(conn, "licenses", rows.products.len(), statement).await
}

async fn insert_results(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    chunk: &Chunk,
    (first_position, count): (i64, i64),
    results: Vec<u8>,
    marks: Marks<'_>,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO batch_results (customer_id, batch_id, first_position, result_count, first_seq, change_count, dispositions, results, failed_user_ids) VALUES (")
        .bind::<Guid, _>(Id::from(customer))
        .sql(", ")
        .bind::<Guid, _>(Id::from(chunk.batch))
        .sql(", ")
        .bind::<BigInt, _>(first_position)
        .sql(", ")
        .bind::<BigInt, _>(count)
        .sql(", ")
        .bind::<BigInt, _>(marks.first_seq)
        .sql(", ")
        .bind::<BigInt, _>(marks.change_count)
        .sql(", ")
        .bind::<Binary, _>(marks.dispositions)
        .sql(", ")
        .bind::<Binary, _>(results)
        .sql(", ")
        .bind::<Binary, _>(marks.failed_user_ids)
        .sql(")");
    exactly(conn, "batch_results", 1, statement).await
}

async fn update_batch(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    chunk: &Chunk,
    counts: &Counts,
) -> Result<(), Error> {
    let ended_at = chunk.is_last.then_some(chunk.now);
    let statement = sql("UPDATE batches SET next_position = next_position + ")
        .bind::<BigInt, _>(counts.turns)
        .sql(", applied_count = applied_count + ")
        .bind::<BigInt, _>(counts.applied)
        .sql(", unchanged_count = unchanged_count + ")
        .bind::<BigInt, _>(counts.unchanged)
        .sql(", failed_count = failed_count + ")
        .bind::<BigInt, _>(counts.failed)
        .sql(", skipped_count = skipped_count + ")
        .bind::<BigInt, _>(counts.skipped)
        .sql(", stopped = ")
        .bind::<SmallInt, _>(counts.stopped)
        .sql(", tally = ")
        .bind::<Binary, _>(&counts.tally[..])
        .sql(", state = ")
        .bind::<SmallInt, _>(if chunk.is_last { ENDED } else { RUNNING })
        .sql(", ended_at = ")
        .bind::<Nullable<Instant>, _>(ended_at)
        .sql(", lease_expires_at = ")
        .bind::<Instant, _>(chunk.lease_expires_at)
        .sql(" WHERE customer_id = ")
        .bind::<Guid, _>(Id::from(customer))
        .sql(" AND batch_id = ")
        .bind::<Guid, _>(Id::from(chunk.batch))
        .sql(" AND next_position = ")
        .bind::<BigInt, _>(chunk.first_position)
        .sql(" AND fence = ")
        .bind::<BigInt, _>(chunk.fence);
    exactly(conn, "batches", 1, statement).await
}
