//! A snapshot on PostgreSQL: one round trip, and one more if choices are new. Sets travel as arrays.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::try_join;

use super::{
    CHANGERS_SOUGHT, Changed, LicenseRow, ReadSnapshot, add_changers, add_license, changed_since,
    missing_choices,
};
use crate::domain::{
    ChoiceId, Choices, Country, CustomerId, Held, Order, ProductId, RecordKind, Snapshot, UserId,
    UserState,
};
use crate::store::codec::decode_choice;
use crate::store::error::Error;
use crate::store::schema::{licenses as l, plan_choices as pc};
use crate::store::sql::{Sql, sql};
use crate::store::types::{Guid, Id};

impl ReadSnapshot for AsyncPgConnection {
    async fn snapshot(
        &mut self,
        customer: CustomerId,
        order: &Arc<Order>,
        choices: Choices,
    ) -> Result<Snapshot, Error> {
        let mut snapshot = read_snapshot(self, customer, order, choices).await?;
        complete(self, customer, order, &mut snapshot).await?;
        Ok(snapshot)
    }
}

/// What is so about the customer's licenses and the order's users, in one round trip.
pub(in crate::store) async fn read_snapshot(
    conn: &AsyncPgConnection,
    customer: CustomerId,
    order: &Order,
    choices: Choices,
) -> Result<Snapshot, Error> {
    let customer = Id::from(customer);
    let users = order.turns.iter().filter_map(|turn| turn.user);
    let users: Vec<Id> = users.map(Id::from).collect();
    let seats = l::table.filter(l::customer_id.eq(customer)).select((
        l::product_id,
        l::enabled,
        l::warning,
        l::suspended,
        l::assigned,
        l::later_plans,
    ));
    let people: Sql<'_, _, (Guid, Text, Text, Nullable<Text>, Bool)> =
        sql("SELECT u.user_id, u.principal_name, u.display_name, u.usage_location, u.active FROM unnest(")
            .bind::<Array<Guid>, _>(&users[..])
            .sql(") AS t(id) CROSS JOIN LATERAL (SELECT user_id, principal_name, display_name, usage_location, active, deleted_at FROM users WHERE customer_id = ")
            .bind::<Guid, _>(customer)
            .sql(" AND user_id = t.id OFFSET 0) AS u WHERE u.deleted_at IS NULL")
            .returning();
    let held: Sql<'_, _, (Guid, Guid, Integer)> =
        sql("SELECT a.user_id, a.product_id, a.choice_id FROM unnest(")
            .bind::<Array<Guid>, _>(&users[..])
            .sql(") AS t(id) CROSS JOIN LATERAL (SELECT user_id, product_id, choice_id FROM assignments WHERE customer_id = ")
            .bind::<Guid, _>(customer)
            .sql(" AND user_id = t.id OFFSET 0) AS a")
            .returning();

    let (mut c1, mut c2, mut c3) = (conn, conn, conn);
    let (seats, people, held) = try_join!(
        seats.load::<LicenseRow>(&mut c1),
        people.load::<(Id, String, String, Option<String>, bool)>(&mut c2),
        held.load::<(Id, Id, i32)>(&mut c3),
    )?;
    let mut snapshot = Snapshot {
        choices,
        users: users_of(people, held)?,
        ..Snapshot::default()
    };
    for license in seats {
        add_license(&mut snapshot, license);
    }
    Ok(snapshot)
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
            changers: Vec::new(),
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
    for user in users.values_mut() {
        user.held.sort_unstable_by_key(|held| held.product);
    }
    Ok(users)
}

/// Adds what shows only when the users are read: choices that are not known yet, and who has changed
/// what is to be undone.
pub(in crate::store) async fn complete(
    conn: &mut AsyncPgConnection,
    customer: CustomerId,
    order: &Order,
    snapshot: &mut Snapshot,
) -> Result<(), Error> {
    let missing = missing_choices(snapshot, order);
    if !missing.is_empty() {
        let rows: Vec<(i32, bool, Vec<u8>)> = pc::table
            .filter(pc::customer_id.eq(Id::from(customer)))
            .filter(pc::choice_id.eq_any(&missing))
            .select((pc::choice_id, pc::only_named, pc::plan_ids))
            .load(conn)
            .await?;
        for (id, only, plans) in rows {
            let choice = decode_choice(only, &plans)?;
            snapshot.choices.insert(ChoiceId(id), choice);
        }
    }
    let changed = changed_since(snapshot, order);
    if changed.is_empty() {
        return Ok(());
    }
    let users: Vec<Id> = changed.iter().map(|(user, _)| Id::from(*user)).collect();
    let changes: Sql<'_, _, (Guid, BigInt, Nullable<Guid>, Binary)> = sql(
        "SELECT t.id, h.seq, k.batch_id, h.details FROM unnest(",
    )
    .bind::<Array<Guid>, _>(&users[..])
    .sql(") AS t(id) CROSS JOIN LATERAL (SELECT seq, details FROM changes WHERE customer_id = ")
    .bind::<Guid, _>(Id::from(customer))
    .sql(" AND thing_id = t.id AND kind = ")
    .bind::<SmallInt, _>(RecordKind::Assignments as i16)
    .sql(" ORDER BY seq DESC LIMIT ")
    .bind::<BigInt, _>(CHANGERS_SOUGHT)
    .sql(") AS h CROSS JOIN LATERAL (SELECT batch_id FROM commits WHERE customer_id = ")
    .bind::<Guid, _>(Id::from(customer))
    .sql(" AND last_seq >= h.seq ORDER BY last_seq LIMIT 1) AS k")
    .returning();
    let mut rows: Vec<(Id, i64, Option<Id>, Vec<u8>)> = changes.load(conn).await?;
    rows.sort_unstable_by_key(|(user, seq, ..)| (*user, -seq));
    let mut by_user: HashMap<Id, Vec<Changed>> = HashMap::new();
    for (user, _, batch, edits) in rows {
        by_user.entry(user).or_default().push((batch, edits));
    }
    for (user, products) in changed {
        let changes = by_user.remove(&Id::from(user)).unwrap_or_default();
        add_changers(snapshot, user, &products, &changes)?;
    }
    Ok(())
}
