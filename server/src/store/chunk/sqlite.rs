//! A chunk on SQLite: one blocking call on the one writer, with a statement per row that is prepared
//! once. The async face of Diesel would cost a hop between threads per row.
//!
//! What is found by key is read with `get_result`, not `first`: to bind the `LIMIT` of the latter makes
//! SQLite prepare the statement again, because its plan might depend on the number.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::{
    Chunk, Counts, Decide, Decision, Interned, Marks, Rows, Standing, StandingRow, Written, draft,
    obstacle,
};
use crate::domain::{ChoiceId, Choices, CustomerId, PlanChoice, Record, Snapshot};
use crate::store::batches::{ENDED, RUNNING};
use crate::store::codec::encode_plans;
use crate::store::error::{Error, expect_rows};
use crate::store::journal;
use crate::store::schema::{
    assignments as a, batch_results as br, batches as b, installation as i, licenses as l,
    plan_choices as pc,
};
use crate::store::snapshot::sqlite::{complete, read_snapshot};
use crate::store::sqlite::Sqlite;
use crate::store::types::Id;

pub(super) async fn write_chunk(
    db: &Sqlite,
    customer: CustomerId,
    chunk: Arc<Chunk>,
    decide: Decide,
) -> Result<Written, Error> {
    let mut writer = db.writer.lock().await;
    let work = writer.spawn_blocking(move |conn| {
        Ok(conn.immediate_transaction(|conn| {
            // A panic must not leave the transaction open: there is no other writer.
            let run = AssertUnwindSafe(|| run(conn, customer, &chunk, &decide));
            catch_unwind(run).unwrap_or_else(|_| Err(Error::Broken("a chunk panicked".to_owned())))
        }))
    });
    work.await?
}

fn run(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    chunk: &Chunk,
    decide: &Decide,
) -> Result<Written, Error> {
    let (standing, mut snapshot) = read(conn, customer, chunk)?;
    if let Some(obstacle) = obstacle(chunk, &standing) {
        return Ok(obstacle);
    }
    snapshot.progress = standing.progress.clone();
    complete(conn, Id::from(customer), &chunk.order, &mut snapshot)?;
    let Decision { plan, results } = decide(&snapshot);
    let counts = Counts::new(&snapshot, &chunk.order, &plan);
    let interned = intern(conn, customer, &plan.new_choices, &mut snapshot.choices)?;
    let mut rows = Rows::new(chunk, &snapshot, &plan, &interned);
    let records = std::mem::take(&mut rows.records);
    write(conn, customer, chunk, &rows)?;
    let first_seq =
        journal::sqlite::write(conn, &draft(customer, chunk, &standing, &counts, records))?;
    finish(
        conn,
        customer,
        chunk,
        rows.marks(first_seq),
        &counts,
        results,
    )?;
    Ok(Written::Done(snapshot.choices))
}

fn read(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    chunk: &Chunk,
) -> Result<(Standing, Snapshot), Error> {
    let standing: StandingRow = b::table
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
        ))
        .get_result(conn)?;
    let version = i::table.find(1).select(i::catalogue_version);
    let standing = Standing::new(standing, version.get_result(conn)?)?;
    let customer = Id::from(customer);
    let snapshot = read_snapshot(conn, customer, &chunk.order, chunk.choices.clone())?;
    Ok((standing, snapshot))
}

/// Gives new choices their numbers. The one writer makes "one more than the highest" safe.
fn intern(
    conn: &mut SqliteConnection,
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
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                let highest: Option<i32> =
                    mine.select(diesel::dsl::max(pc::choice_id)).first(conn)?;
                let number = highest.unwrap_or(0) + 1;
                let row = (
                    pc::customer_id.eq(Id::from(customer)),
                    pc::choice_id.eq(number),
                    pc::only_named.eq(only),
                    pc::plan_ids.eq(plans),
                );
                diesel::insert_into(pc::table).values(row).execute(conn)?;
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

fn write(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    chunk: &Chunk,
    rows: &Rows,
) -> Result<(), Error> {
    let (customer, batch) = (Id::from(customer), Id::from(chunk.batch));
    let new = &rows.inserts;
    for ((user, product), choice) in new.users.iter().zip(&new.products).zip(&new.choices) {
        let row = (
            a::customer_id.eq(customer),
            a::user_id.eq(*user),
            a::product_id.eq(*product),
            a::choice_id.eq(*choice),
            a::catalogue_version.eq(chunk.catalogue_version),
            a::batch_id.eq(batch),
            a::assigned_at.eq(chunk.now),
        );
        diesel::insert_into(a::table).values(row).execute(conn)?;
    }
    let changed = &rows.updates;
    for ((user, product), choice) in changed
        .users
        .iter()
        .zip(&changed.products)
        .zip(&changed.choices)
    {
        let row = a::table.find((customer, *user, *product));
        let written = diesel::update(row)
            .set((
                a::choice_id.eq(*choice),
                a::catalogue_version.eq(chunk.catalogue_version),
            ))
            .execute(conn)?;
        expect_rows("changed assignment", 1, written)?;
    }
    for (user, product) in rows.deletes.users.iter().zip(&rows.deletes.products) {
        let written = diesel::delete(a::table.find((customer, *user, *product))).execute(conn)?;
        expect_rows("revoked assignment", 1, written)?;
    }
    for (product, delta) in rows.products.iter().zip(&rows.deltas) {
        let row = l::table.find((customer, *product));
        let written = diesel::update(row)
            .set(l::assigned.eq(l::assigned + *delta))
            .execute(conn)?;
        expect_rows("license", 1, written)?;
    }
    Ok(())
}

fn finish(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    chunk: &Chunk,
    mut marks: Marks<'_>,
    counts: &Counts,
    results: Vec<(usize, Vec<u8>)>,
) -> Result<(), Error> {
    let (customer, batch) = (Id::from(customer), Id::from(chunk.batch));
    let mut first = chunk.first_position;
    for (count, part) in results {
        let count = count as i64;
        let row = (
            br::customer_id.eq(customer),
            br::batch_id.eq(batch),
            br::first_position.eq(first),
            br::result_count.eq(count),
            br::first_seq.eq(marks.first_seq),
            br::change_count.eq(marks.change_count),
            br::dispositions.eq(marks.dispositions),
            br::results.eq(part),
            br::failed_user_ids.eq(marks.failed_user_ids),
        );
        diesel::insert_into(br::table).values(row).execute(conn)?;
        first += count;
        marks = Marks::default();
    }
    let mine = b::table
        .find((customer, batch))
        .filter(b::next_position.eq(chunk.first_position))
        .filter(b::fence.eq(chunk.fence));
    let written = diesel::update(mine)
        .set((
            b::next_position.eq(b::next_position + counts.turns),
            b::applied_count.eq(b::applied_count + counts.applied),
            b::unchanged_count.eq(b::unchanged_count + counts.unchanged),
            b::failed_count.eq(b::failed_count + counts.failed),
            b::skipped_count.eq(b::skipped_count + counts.skipped),
            b::stopped.eq(counts.stopped),
            b::tally.eq(&counts.tally),
            b::state.eq(if chunk.is_last { ENDED } else { RUNNING }),
            b::ended_at.eq(chunk.is_last.then_some(chunk.now)),
            b::lease_expires_at.eq(chunk.lease_expires_at),
        ))
        .execute(conn)?;
    expect_rows("batch", 1, written)
}
