//! A chunk on SQLite: one blocking call on the one writer, with a statement per row that is prepared
//! once. The async face of Diesel would cost a hop between threads per row.
//!
//! What is found by key is read with `get_result`, not `first`: to bind the `LIMIT` of the latter makes
//! SQLite prepare the statement again, because its plan might depend on the number.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::{Chunk, Counts, Decide, Decision, Rows, Standing, Written, expect_rows, obstacle};
use crate::domain::{
    ChoiceId, Choices, Country, Held, PlanChoice, Seats, Snapshot, UserId, UserState,
};
use crate::store::batches::{ENDED, RUNNING};
use crate::store::codec::{decode_choice, encode_plans};
use crate::store::error::Error;
use crate::store::schema::{
    assignments as a, batch_results as br, batches as b, changes as ch, customers as c,
    installation as i, licenses as l, plan_choices as pc, users as u,
};
use crate::store::sqlite::Sqlite;
use crate::store::types::Id;

pub(super) async fn write_chunk(
    db: &Sqlite,
    chunk: Arc<Chunk>,
    decide: Decide,
) -> Result<Written, Error> {
    let mut writer = db.writer.lock().await;
    let work = writer.spawn_blocking(move |conn| {
        Ok(conn.immediate_transaction(|conn| {
            // A panic must not leave the transaction open: there is no other writer.
            let run = AssertUnwindSafe(|| run(conn, &chunk, &decide));
            catch_unwind(run).unwrap_or_else(|_| Err(Error::Broken("a chunk panicked".to_owned())))
        }))
    });
    work.await?
}

fn run(conn: &mut SqliteConnection, chunk: &Chunk, decide: &Decide) -> Result<Written, Error> {
    let (standing, mut snapshot) = read(conn, chunk)?;
    if let Some(obstacle) = obstacle(chunk, &standing) {
        return Ok(obstacle);
    }
    load_choices(conn, chunk, &mut snapshot)?;
    let Decision { plan, results } = decide(&snapshot);
    let interned = intern(conn, chunk, &plan.new_choices, &mut snapshot.choices)?;
    let rows = Rows::new(&chunk.order, &plan, &interned);
    write(conn, chunk, &rows)?;
    finish(conn, chunk, &rows, &Counts::new(&plan), results)?;
    Ok(Written::Done(snapshot.choices))
}

fn read(conn: &mut SqliteConnection, chunk: &Chunk) -> Result<(Standing, Snapshot), Error> {
    let customer = Id::from(chunk.customer);
    let (next_position, fence) = b::table
        .find((customer, Id::from(chunk.batch)))
        .select((b::next_position, b::fence))
        .get_result(conn)?;
    let version = i::table.find(1).select(i::catalogue_version);
    let catalogue_version = version.get_result(conn)?;
    let standing = Standing {
        next_position,
        fence,
        catalogue_version,
    };

    let mut snapshot = Snapshot {
        choices: chunk.choices.clone(),
        ..Snapshot::default()
    };
    for product in chunk
        .order
        .changes
        .iter()
        .flat_map(|change| change.products())
    {
        let seats: Option<(i64, i64, i64, i64)> = l::table
            .find((customer, Id::from(product)))
            .select((l::enabled, l::warning, l::suspended, l::assigned))
            .get_result(conn)
            .optional()?;
        if let Some((enabled, warning, suspended, assigned)) = seats {
            snapshot.seats.insert(
                product,
                Seats {
                    enabled,
                    warning,
                    suspended,
                    assigned,
                },
            );
        }
    }
    snapshot.users = users(conn, chunk)?;
    Ok((standing, snapshot))
}

fn users(conn: &mut SqliteConnection, chunk: &Chunk) -> Result<HashMap<UserId, UserState>, Error> {
    let customer = Id::from(chunk.customer);
    let mut users = HashMap::with_capacity(chunk.order.turns.len());
    for id in chunk.order.turns.iter().filter_map(|turn| turn.user) {
        let person: Option<(String, String, Option<String>, bool)> = u::table
            .find((customer, Id::from(id)))
            .filter(u::deleted_at.is_null())
            .select((
                u::principal_name,
                u::display_name,
                u::usage_location,
                u::active,
            ))
            .get_result(conn)
            .optional()?;
        let Some((principal_name, display_name, location, active)) = person else {
            continue;
        };
        let usage_location = location
            .map(|location| Country::parse(&location))
            .transpose()
            .map_err(|_| Error::Broken(format!("user {id} has a damaged location")))?;
        let held: Vec<(Id, i32)> = a::table
            .filter(a::customer_id.eq(customer))
            .filter(a::user_id.eq(Id::from(id)))
            .order(a::product_id)
            .select((a::product_id, a::choice_id))
            .load(conn)?;
        let held = held.into_iter().map(|(product, choice)| Held {
            product: product.into(),
            choice: ChoiceId(choice),
        });
        let held = held.collect();
        users.insert(
            id,
            UserState {
                principal_name,
                display_name,
                usage_location,
                active,
                held,
            },
        );
    }
    Ok(users)
}

/// Reads the choices that the users' holdings refer to, as far as they are not known yet.
fn load_choices(
    conn: &mut SqliteConnection,
    chunk: &Chunk,
    snapshot: &mut Snapshot,
) -> Result<(), Error> {
    for held in snapshot.users.values().flat_map(|user| &user.held) {
        if snapshot.choices.get(held.choice).is_none() {
            let (only, plans): (bool, Vec<u8>) = pc::table
                .find((Id::from(chunk.customer), held.choice.0))
                .select((pc::only_named, pc::plan_ids))
                .get_result(conn)?;
            snapshot
                .choices
                .insert(held.choice, decode_choice(only, &plans)?);
        }
    }
    Ok(())
}

/// Gives new choices their numbers. The one writer makes "one more than the highest" safe.
fn intern(
    conn: &mut SqliteConnection,
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
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                let highest: Option<i32> =
                    mine.select(diesel::dsl::max(pc::choice_id)).first(conn)?;
                let number = highest.unwrap_or(0) + 1;
                let row = (
                    pc::customer_id.eq(customer),
                    pc::choice_id.eq(number),
                    pc::only_named.eq(only),
                    pc::plan_ids.eq(plans),
                );
                diesel::insert_into(pc::table).values(row).execute(conn)?;
                number
            }
        };
        choices.insert(ChoiceId(number), choice.clone());
        numbers.push(number);
    }
    Ok(numbers)
}

fn write(conn: &mut SqliteConnection, chunk: &Chunk, rows: &Rows) -> Result<(), Error> {
    let (customer, batch) = (Id::from(chunk.customer), Id::from(chunk.batch));
    let new = &rows.inserts;
    for ((user, product), choice) in new.users.iter().zip(&new.products).zip(&new.choices) {
        let row = (
            a::customer_id.eq(customer),
            a::user_id.eq(*user),
            a::product_id.eq(*product),
            a::choice_id.eq(*choice),
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
            .set(a::choice_id.eq(*choice))
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
    let seq = c::table.find(customer).select(c::change_seq);
    let seq: i64 = seq.get_result(conn)?;
    for ((user, edits), seq) in rows.changed.iter().zip(&rows.edits).zip(seq + 1..) {
        let row = (
            ch::customer_id.eq(customer),
            ch::seq.eq(seq),
            ch::user_id.eq(*user),
            ch::batch_id.eq(Some(batch)),
            ch::edits.eq(edits),
            ch::changed_at.eq(chunk.now),
        );
        diesel::insert_into(ch::table).values(row).execute(conn)?;
    }
    if !rows.changed.is_empty() {
        let seq = seq + rows.changed.len() as i64;
        diesel::update(c::table.find(customer))
            .set(c::change_seq.eq(seq))
            .execute(conn)?;
    }
    Ok(())
}

fn finish(
    conn: &mut SqliteConnection,
    chunk: &Chunk,
    rows: &Rows,
    counts: &Counts,
    results: Vec<u8>,
) -> Result<(), Error> {
    let (customer, batch) = (Id::from(chunk.customer), Id::from(chunk.batch));
    let row = (
        br::customer_id.eq(customer),
        br::batch_id.eq(batch),
        br::first_position.eq(chunk.first_position),
        br::result_count.eq(counts.turns),
        br::results.eq(results),
        br::failed_user_ids.eq(&rows.failed_user_ids),
    );
    diesel::insert_into(br::table).values(row).execute(conn)?;
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
            b::state.eq(if chunk.is_last { ENDED } else { RUNNING }),
            b::ended_at.eq(chunk.is_last.then_some(chunk.now)),
            b::lease_expires_at.eq(chunk.lease_expires_at),
        ))
        .execute(conn)?;
    expect_rows("batch", 1, written)
}
