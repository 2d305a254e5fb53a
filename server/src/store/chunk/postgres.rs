//! A chunk on PostgreSQL: one round trip for the lock, one for all reads, one for all writes. Sets
//! travel as arrays; each statement has the customer's id, so that it stays on one shard.
//!
//! Inserts of many rows take the customer's id from the batch's row: with a bare `unnest`, Citus would
//! not know the shard and commit in two phases.

use std::collections::HashMap;

use bb8::PooledConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join_all;
use futures_util::{FutureExt, TryFutureExt, try_join};

use super::{
    Chunk, Counts, Decide, Decision, Holdings, Rows, Standing, Written, expect_rows, obstacle,
};
use crate::domain::{
    ChoiceId, Choices, Country, Held, PlanChoice, ProductId, Seats, Snapshot, UserId, UserState,
};
use crate::store::batches::{ENDED, RUNNING};
use crate::store::codec::{decode_choice, encode_plans};
use crate::store::error::{Error, unavailable};
use crate::store::schema::{
    batches as b, customers as c, installation as i, licenses as l, plan_choices as pc,
};
use crate::store::sql::{Sql, sql};
use crate::store::types::{Guid, Id, Instant};

pub(super) async fn write_chunk(
    pool: &Pool<AsyncPgConnection>,
    chunk: &Chunk,
    decide: &Decide,
) -> Result<Written, Error> {
    let mut conn: PooledConnection<'_, AsyncDieselConnectionManager<AsyncPgConnection>> =
        pool.get().await.map_err(unavailable)?;
    let conn: &mut AsyncPgConnection = &mut conn;
    conn.transaction(async |conn| {
        let seq = lock(conn, chunk).await?;
        let (standing, mut snapshot) = read(conn, chunk).await?;
        if let Some(obstacle) = obstacle(chunk, &standing) {
            return Ok(obstacle);
        }
        load_choices(conn, chunk, &mut snapshot).await?;
        let Decision { plan, results } = decide(&snapshot);
        let interned = intern(conn, chunk, &plan.new_choices, &mut snapshot.choices).await?;
        let rows = Rows::new(&chunk.order, &plan, &interned);
        write(conn, chunk, seq, &rows, &Counts::new(&plan), results).await?;
        Ok(Written::Done(snapshot.choices))
    })
    .await
}

/// Takes the customer's lock, in a round trip of its own: nothing may be read before it is held.
async fn lock(conn: &mut AsyncPgConnection, chunk: &Chunk) -> QueryResult<i64> {
    let customer = c::table
        .find(Id::from(chunk.customer))
        .select(c::change_seq);
    customer.for_no_key_update().get_result(conn).await
}

async fn read(conn: &AsyncPgConnection, chunk: &Chunk) -> Result<(Standing, Snapshot), Error> {
    let customer = Id::from(chunk.customer);
    let (users, products) = named(chunk);
    let standing = b::table
        .find((customer, Id::from(chunk.batch)))
        .select((b::next_position, b::fence));
    let version = i::table.find(1).select(i::catalogue_version);
    let seats = l::table
        .filter(l::customer_id.eq(customer))
        .filter(l::product_id.eq_any(&products))
        .select((
            l::product_id,
            l::enabled,
            l::warning,
            l::suspended,
            l::assigned,
        ));
    let people: Sql<'_, _, (Guid, Text, Text, Nullable<Text>, Bool)> =
        sql("SELECT u.user_id, u.principal_name, u.display_name, u.usage_location, u.active FROM unnest(")
            .bind::<Array<Guid>, _>(&users[..])
            .sql(") AS t(id) CROSS JOIN LATERAL (SELECT user_id, principal_name, display_name, usage_location, active FROM users WHERE customer_id = ")
            .bind::<Guid, _>(customer)
            .sql(" AND user_id = t.id AND deleted_at IS NULL OFFSET 0) AS u")
            .returning();
    let held: Sql<'_, _, (Guid, Guid, Integer)> =
        sql("SELECT a.user_id, a.product_id, a.choice_id FROM unnest(")
            .bind::<Array<Guid>, _>(&users[..])
            .sql(") AS t(id) CROSS JOIN LATERAL (SELECT user_id, product_id, choice_id FROM assignments WHERE customer_id = ")
            .bind::<Guid, _>(customer)
            .sql(" AND user_id = t.id ORDER BY product_id OFFSET 0) AS a")
            .returning();

    // Futures on one shared connection are pipelined.
    let (mut c1, mut c2, mut c3, mut c4, mut c5) = (conn, conn, conn, conn, conn);
    let (standing, catalogue_version, seats, people, held) = try_join!(
        standing.first::<(i64, i64)>(&mut c1),
        version.first::<i64>(&mut c2),
        seats.load::<(Id, i64, i64, i64, i64)>(&mut c3),
        people.load::<(Id, String, String, Option<String>, bool)>(&mut c4),
        held.load::<(Id, Id, i32)>(&mut c5),
    )?;
    let (next_position, fence) = standing;
    let standing = Standing {
        next_position,
        fence,
        catalogue_version,
    };
    let mut snapshot = Snapshot {
        choices: chunk.choices.clone(),
        ..Snapshot::default()
    };
    for (product, enabled, warning, suspended, assigned) in seats {
        let seats = Seats {
            enabled,
            warning,
            suspended,
            assigned,
        };
        snapshot.seats.insert(product.into(), seats);
    }
    snapshot.users = users_of(people, held)?;
    Ok((standing, snapshot))
}

/// The users and the products that the chunk is about.
fn named(chunk: &Chunk) -> (Vec<Id>, Vec<Id>) {
    let order = &chunk.order;
    let users = order.turns.iter().filter_map(|turn| turn.user);
    let products = order.changes.iter().flat_map(|change| change.products());
    let mut products: Vec<Id> = products.map(Id::from).collect();
    products.sort_unstable();
    products.dedup();
    (users.map(Id::from).collect(), products)
}

fn users_of(
    people: Vec<(Id, String, String, Option<String>, bool)>,
    held: Vec<(Id, Id, i32)>,
) -> Result<HashMap<UserId, UserState>, Error> {
    let mut users = HashMap::with_capacity(people.len());
    for (id, principal_name, display_name, location, active) in people {
        let usage_location = location
            .map(|location| Country::parse(&location))
            .transpose()
            .map_err(|_| Error::Broken(format!("user {} has a damaged location", id.0)))?;
        let held = Vec::new();
        let user = UserState {
            principal_name,
            display_name,
            usage_location,
            active,
            held,
        };
        users.insert(UserId::from(id), user);
    }
    for (user, product, choice) in held {
        if let Some(user) = users.get_mut(&UserId::from(user)) {
            user.held.push(Held {
                product: ProductId::from(product),
                choice: ChoiceId(choice),
            });
        }
    }
    Ok(users)
}

/// Reads the choices that the users' holdings refer to, as far as they are not known yet.
async fn load_choices(
    conn: &mut AsyncPgConnection,
    chunk: &Chunk,
    snapshot: &mut Snapshot,
) -> Result<(), Error> {
    let held = snapshot.users.values().flat_map(|user| &user.held);
    let mut missing: Vec<i32> = held
        .filter(|held| snapshot.choices.get(held.choice).is_none())
        .map(|held| held.choice.0)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    missing.sort_unstable();
    missing.dedup();
    let rows: Vec<(i32, bool, Vec<u8>)> = pc::table
        .filter(pc::customer_id.eq(Id::from(chunk.customer)))
        .filter(pc::choice_id.eq_any(&missing))
        .select((pc::choice_id, pc::only_named, pc::plan_ids))
        .load(conn)
        .await?;
    for (id, only, plans) in rows {
        snapshot
            .choices
            .insert(ChoiceId(id), decode_choice(only, &plans)?);
    }
    Ok(())
}

/// Gives new choices their numbers. The customer's lock makes "one more than the highest" safe.
async fn intern(
    conn: &mut AsyncPgConnection,
    chunk: &Chunk,
    new: &[PlanChoice],
    choices: &mut Choices,
) -> Result<Vec<i32>, Error> {
    let customer = Id::from(chunk.customer);
    let mut numbers = Vec::with_capacity(new.len());
    for choice in new {
        let (only, plans) = (
            matches!(choice, PlanChoice::Only(_)),
            encode_plans(choice.plans()),
        );
        let mine = pc::table.filter(pc::customer_id.eq(customer));
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
                    pc::customer_id.eq(customer),
                    pc::choice_id.eq(number),
                    pc::only_named.eq(only),
                    pc::plan_ids.eq(plans),
                );
                diesel::insert_into(pc::table)
                    .values(row)
                    .execute(conn)
                    .await?;
                number
            }
        };
        choices.insert(ChoiceId(number), choice.clone());
        numbers.push(number);
    }
    Ok(numbers)
}

async fn write(
    conn: &AsyncPgConnection,
    chunk: &Chunk,
    seq: i64,
    rows: &Rows,
    counts: &Counts,
    results: Vec<u8>,
) -> Result<(), Error> {
    let seqs: Vec<i64> = (seq + 1..).take(rows.changed.len()).collect();
    let mut writes = vec![
        insert_results(conn, chunk, counts, results, &rows.failed_user_ids).boxed(),
        update_batch(conn, chunk, counts).boxed(),
    ];
    if !rows.inserts.is_empty() {
        writes.push(insert_assignments(conn, chunk, &rows.inserts).boxed());
    }
    if !rows.updates.is_empty() {
        writes.push(update_assignments(conn, chunk, &rows.updates).boxed());
    }
    if !rows.deletes.is_empty() {
        writes.push(delete_assignments(conn, chunk, &rows.deletes).boxed());
    }
    if !rows.products.is_empty() {
        writes.push(update_seats(conn, chunk, rows).boxed());
    }
    if !rows.changed.is_empty() {
        writes.push(insert_changes(conn, chunk, &seqs, rows).boxed());
        writes.push(update_seq(conn, chunk, rows.changed.len() as i64).boxed());
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
    chunk: &Chunk,
    new: &Holdings,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO assignments (customer_id, user_id, product_id, choice_id, batch_id, assigned_at) SELECT b.customer_id, t.user_id, t.product_id, t.choice_id, b.batch_id, ")
        .bind::<Instant, _>(chunk.now)
        .sql(" FROM batches AS b CROSS JOIN unnest(")
        .bind::<Array<Guid>, _>(&new.users[..])
        .sql(", ")
        .bind::<Array<Guid>, _>(&new.products[..])
        .sql(", ")
        .bind::<Array<Integer>, _>(&new.choices[..])
        .sql(") AS t(user_id, product_id, choice_id) WHERE b.customer_id = ")
        .bind::<Guid, _>(Id::from(chunk.customer))
        .sql(" AND b.batch_id = ")
        .bind::<Guid, _>(Id::from(chunk.batch));
    exactly(conn, "assignments", new.users.len(), statement).await
}

async fn update_assignments(
    conn: &AsyncPgConnection,
    chunk: &Chunk,
    changed: &Holdings,
) -> Result<(), Error> {
    let statement = sql("UPDATE assignments AS a SET choice_id = t.choice_id FROM unnest(")
        .bind::<Array<Guid>, _>(&changed.users[..])
        .sql(", ")
        .bind::<Array<Guid>, _>(&changed.products[..])
        .sql(", ")
        .bind::<Array<Integer>, _>(&changed.choices[..])
        .sql(") AS t(user_id, product_id, choice_id) WHERE a.customer_id = ")
        .bind::<Guid, _>(Id::from(chunk.customer))
        .sql(" AND a.user_id = t.user_id AND a.product_id = t.product_id");
    exactly(conn, "changed assignments", changed.users.len(), statement).await
}

async fn delete_assignments(
    conn: &AsyncPgConnection,
    chunk: &Chunk,
    gone: &Holdings,
) -> Result<(), Error> {
    let statement = sql("DELETE FROM assignments AS a USING unnest(")
        .bind::<Array<Guid>, _>(&gone.users[..])
        .sql(", ")
        .bind::<Array<Guid>, _>(&gone.products[..])
        .sql(") AS t(user_id, product_id) WHERE a.customer_id = ")
        .bind::<Guid, _>(Id::from(chunk.customer))
        .sql(" AND a.user_id = t.user_id AND a.product_id = t.product_id");
    exactly(conn, "revoked assignments", gone.users.len(), statement).await
}

async fn update_seats(conn: &AsyncPgConnection, chunk: &Chunk, rows: &Rows) -> Result<(), Error> {
    let statement = sql("UPDATE licenses AS l SET assigned = l.assigned + t.delta FROM unnest(")
        .bind::<Array<Guid>, _>(&rows.products[..])
        .sql(", ")
        .bind::<Array<BigInt>, _>(&rows.deltas[..])
        .sql(") AS t(product_id, delta) WHERE l.customer_id = ")
        .bind::<Guid, _>(Id::from(chunk.customer))
        .sql(" AND l.product_id = t.product_id");
    exactly(conn, "licenses", rows.products.len(), statement).await
}

async fn insert_changes(
    conn: &AsyncPgConnection,
    chunk: &Chunk,
    seqs: &[i64],
    rows: &Rows,
) -> Result<(), Error> {
    let statement = sql("INSERT INTO changes (customer_id, seq, user_id, batch_id, edits, changed_at) SELECT b.customer_id, t.seq, t.user_id, b.batch_id, t.edits, ")
        .bind::<Instant, _>(chunk.now)
        .sql(" FROM batches AS b CROSS JOIN unnest(")
        .bind::<Array<BigInt>, _>(seqs)
        .sql(", ")
        .bind::<Array<Guid>, _>(&rows.changed[..])
        .sql(", ")
        .bind::<Array<Binary>, _>(&rows.edits[..])
        .sql(") AS t(seq, user_id, edits) WHERE b.customer_id = ")
        .bind::<Guid, _>(Id::from(chunk.customer))
        .sql(" AND b.batch_id = ")
        .bind::<Guid, _>(Id::from(chunk.batch));
    exactly(conn, "changes", rows.changed.len(), statement).await
}

async fn update_seq(conn: &AsyncPgConnection, chunk: &Chunk, changes: i64) -> Result<(), Error> {
    let statement = sql("UPDATE customers SET change_seq = change_seq + ")
        .bind::<BigInt, _>(changes)
        .sql(" WHERE customer_id = ")
        .bind::<Guid, _>(Id::from(chunk.customer));
    exactly(conn, "customers", 1, statement).await
}

async fn insert_results(
    conn: &AsyncPgConnection,
    chunk: &Chunk,
    counts: &Counts,
    results: Vec<u8>,
    failed_user_ids: &[u8],
) -> Result<(), Error> {
    let statement = sql("INSERT INTO batch_results (customer_id, batch_id, first_position, result_count, results, failed_user_ids) VALUES (")
        .bind::<Guid, _>(Id::from(chunk.customer))
        .sql(", ")
        .bind::<Guid, _>(Id::from(chunk.batch))
        .sql(", ")
        .bind::<BigInt, _>(chunk.first_position)
        .sql(", ")
        .bind::<BigInt, _>(counts.turns)
        .sql(", ")
        .bind::<Binary, _>(results)
        .sql(", ")
        .bind::<Binary, _>(failed_user_ids)
        .sql(")");
    exactly(conn, "batch_results", 1, statement).await
}

async fn update_batch(
    conn: &AsyncPgConnection,
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
        .sql(", state = ")
        .bind::<diesel::sql_types::SmallInt, _>(if chunk.is_last { ENDED } else { RUNNING })
        .sql(", ended_at = ")
        .bind::<Nullable<Instant>, _>(ended_at)
        .sql(", lease_expires_at = ")
        .bind::<Instant, _>(chunk.lease_expires_at)
        .sql(" WHERE customer_id = ")
        .bind::<Guid, _>(Id::from(chunk.customer))
        .sql(" AND batch_id = ")
        .bind::<Guid, _>(Id::from(chunk.batch))
        .sql(" AND next_position = ")
        .bind::<BigInt, _>(chunk.first_position)
        .sql(" AND fence = ")
        .bind::<BigInt, _>(chunk.fence);
    exactly(conn, "batches", 1, statement).await
}
