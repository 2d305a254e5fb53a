//! A snapshot on SQLite: a statement per row that is prepared once.
//!
//! What is found by key is read with `get_result`, not `first`: to bind the `LIMIT` of the latter makes
//! SQLite prepare the statement again, because its plan might depend on the number.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::{
    CHANGERS_SOUGHT, Changed, LicenseRow, ReadSnapshot, add_changers, add_license, changed_since,
    missing_choices,
};
use crate::domain::{
    ChoiceId, Choices, Country, CustomerId, Held, Order, Snapshot, UserId, UserState,
};
use crate::store::codec::decode_choice;
use crate::store::error::Error;
use crate::store::history::{RecordedRow, Rows};
use crate::store::schema::{assignments as a, licenses as l, plan_choices as pc, users as u};
use crate::store::sqlite::Connection;
use crate::store::types::Id;

impl ReadSnapshot for Connection {
    async fn snapshot(
        &mut self,
        customer: CustomerId,
        order: &Arc<Order>,
        choices: Choices,
    ) -> Result<Snapshot, Error> {
        let order = order.clone();
        let work = self.spawn_blocking(move |conn| {
            let customer = Id::from(customer);
            let read = read_snapshot(conn, customer, &order, choices);
            Ok(read.and_then(|mut snapshot| {
                complete(conn, customer, &order, &mut snapshot)?;
                Ok(snapshot)
            }))
        });
        work.await?
    }
}

pub(in crate::store) fn read_snapshot(
    conn: &mut SqliteConnection,
    customer: Id,
    order: &Order,
    choices: Choices,
) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot {
        choices,
        ..Snapshot::default()
    };
    let licenses: Vec<LicenseRow> = l::table
        .filter(l::customer_id.eq(customer))
        .select((
            l::product_id,
            l::enabled,
            l::warning,
            l::suspended,
            l::assigned,
            l::later_plans,
        ))
        .load(conn)?;
    for license in licenses {
        add_license(&mut snapshot, license);
    }
    snapshot.users = users(conn, customer, order)?;
    Ok(snapshot)
}

fn users(
    conn: &mut SqliteConnection,
    customer: Id,
    order: &Order,
) -> Result<HashMap<UserId, UserState>, Error> {
    let mut users = HashMap::with_capacity(order.turns.len());
    for id in order.turns.iter().filter_map(|turn| turn.user) {
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
                changers: Vec::new(),
            },
        );
    }
    Ok(users)
}

/// Adds what shows only when the users are read: choices that are not known yet, and who has changed
/// what is to be undone.
pub(in crate::store) fn complete(
    conn: &mut SqliteConnection,
    customer: Id,
    order: &Order,
    snapshot: &mut Snapshot,
) -> Result<(), Error> {
    for choice in missing_choices(snapshot, order) {
        let (only, plans): (bool, Vec<u8>) = pc::table
            .find((customer, choice))
            .select((pc::only_named, pc::plan_ids))
            .get_result(conn)?;
        let known = decode_choice(only, &plans)?;
        snapshot.choices.insert(ChoiceId(choice), known);
    }
    for (user, products) in changed_since(snapshot, order) {
        let changes = Rows::of_holdings(customer.into(), user, CHANGERS_SOUGHT).with_commits();
        let changes: Vec<RecordedRow> = changes.load(conn)?;
        let changes = changes.into_iter().map(|(change, commit)| {
            let ((.., edits), (.., batch, _)) = (change, commit);
            (batch, edits)
        });
        add_changers(
            snapshot,
            user,
            &products,
            &changes.collect::<Vec<Changed>>(),
        )?;
    }
    Ok(())
}
