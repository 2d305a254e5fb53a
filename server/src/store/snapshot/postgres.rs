//! A snapshot on PostgreSQL: one round trip, and one more if choices are new. Sets travel as arrays.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::try_join;

use super::{LicenseRow, ReadSnapshot, add_license};
use crate::domain::{
    ChoiceId, Choices, Country, CustomerId, Held, Order, ProductId, Snapshot, UserId, UserState,
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
        load_choices(self, customer, &mut snapshot).await?;
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

/// Reads the choices that the users' holdings refer to, as far as they are not known yet.
pub(in crate::store) async fn load_choices(
    conn: &mut AsyncPgConnection,
    customer: CustomerId,
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
        .filter(pc::customer_id.eq(Id::from(customer)))
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
