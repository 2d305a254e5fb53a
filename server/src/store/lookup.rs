//! Who is meant: users named one by one and users of frozen selections, read on any connection, also
//! in the middle of a transaction.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::catalogue_rows::ReadCatalogue;
use super::error::Error;
use super::frozen::decode_users;
use super::roll::ReadSeats;
use super::schema::{selection_chunks as sc, selections as s, users as u};
use super::sql::{Sql, sql};
use super::sqlite;
use super::types::{Guid, Id, Timestamp};
use super::walk::ReadHolders;
use crate::domain::{SelectionId, UserId, UserRef};

/// Users looked up by one statement.
pub(super) const LOOKUP_USERS: usize = 5_000;
/// What the clocks of two servers may differ by, with much room, in microseconds.
const SKEW_MAX: i64 = 3_600_000_000;

/// Who the named users are, among those not deleted.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) by_id: HashMap<Id, String>,
    pub(super) by_key: HashMap<String, (Id, String)>,
}

impl Resolved {
    /// The user that is meant, if there is one.
    pub(super) fn find(&self, user: &UserRef) -> Option<UserId> {
        match user {
            UserRef::Id(id) => self.by_id.contains_key(&Id::from(*id)).then_some(*id),
            UserRef::Name(name) => self.by_key.get(name.key()).map(|(id, _)| (*id).into()),
        }
    }
}

/// Looks the users up, whichever way the request names them.
pub(super) async fn resolve(
    conn: &mut impl Lookup,
    customer: Id,
    users: impl Iterator<Item = &UserRef>,
) -> QueryResult<Resolved> {
    let mut resolved = Resolved::default();
    let (ids, keys) = names(users);
    for ids in ids.chunks(LOOKUP_USERS) {
        let found = conn.users_by_id(customer, ids).await?;
        resolved.by_id.extend(found);
    }
    for keys in keys.chunks(LOOKUP_USERS) {
        for (folded, id, name) in conn.users_by_key(customer, keys).await? {
            resolved.by_key.insert(folded, (id, name));
        }
    }
    Ok(resolved)
}

fn names<'a>(users: impl Iterator<Item = &'a UserRef>) -> (Vec<Id>, Vec<String>) {
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for user in users {
        match user {
            UserRef::Id(id) => ids.push(Id::from(*id)),
            UserRef::Name(name) => keys.push(name.key().to_owned()),
        }
    }
    // In key order each lookup touches neighbouring pages.
    ids.sort_unstable();
    keys.sort_unstable();
    (ids, keys)
}

/// What finding users takes from a connection.
pub(super) trait Lookup: ReadHolders + ReadCatalogue + ReadSeats {
    /// Those of the ids that are users, with their principal names.
    async fn users_by_id(&mut self, customer: Id, ids: &[Id]) -> QueryResult<Vec<(Id, String)>>;

    /// Those of the folded principal names that are users'.
    async fn users_by_key(
        &mut self,
        customer: Id,
        keys: &[String],
    ) -> QueryResult<Vec<(String, Id, String)>>;

    /// The users of a frozen selection in its order, without those deleted since; `None` if there is
    /// no such selection or its time is over.
    async fn users_of_frozen(
        &mut self,
        customer: Id,
        selection: SelectionId,
        now: Timestamp,
    ) -> Result<Option<Vec<UserId>>, Error>;
}

/// Methods whose queries are portable.
macro_rules! portable {
    () => {
        async fn users_of_frozen(
            &mut self,
            customer: Id,
            selection: SelectionId,
            now: Timestamp,
        ) -> Result<Option<Vec<UserId>>, Error> {
            let key = (customer, Id::from(selection));
            let created: Option<Timestamp> = s::table
                .find(key)
                .filter(s::expires_at.gt(now))
                .select(s::created_at)
                .first(self)
                .await
                .optional()?;
            let Some(created) = created else {
                return Ok(None);
            };
            let chunks: Vec<Vec<u8>> = sc::table
                .filter(sc::customer_id.eq(key.0))
                .filter(sc::selection_id.eq(key.1))
                .filter(sc::sorted.eq(false))
                .order(sc::first_position)
                .select(sc::user_ids)
                .load(self)
                .await?;
            let deleted: Vec<Id> = u::table
                .filter(u::customer_id.eq(customer))
                .filter(u::deleted_at.ge(Timestamp(created.0 - SKEW_MAX)))
                .select(u::user_id)
                .load(self)
                .await?;
            let deleted: HashSet<UserId> = deleted.into_iter().map(UserId::from).collect();
            let mut users = Vec::with_capacity(chunks.iter().map(|ids| ids.len() / 16).sum());
            for ids in chunks {
                users.extend(decode_users(&ids)?.filter(|user| !deleted.contains(user)));
            }
            Ok(Some(users))
        }
    };
}

/// `OFFSET 0`, and `deleted_at` outside it, keep PostgreSQL from walking the whole customer, by an index
/// that suits less, when it has planned on an empty table.
impl Lookup for AsyncPgConnection {
    portable!();

    async fn users_by_id(&mut self, customer: Id, ids: &[Id]) -> QueryResult<Vec<(Id, String)>> {
        let query: Sql<'_, _, (Guid, Text)> = sql("SELECT u.user_id, u.principal_name FROM unnest(")
            .bind::<Array<Guid>, _>(ids)
            .sql(") AS t(id) CROSS JOIN LATERAL (SELECT user_id, principal_name, deleted_at FROM users WHERE customer_id = ")
            .bind::<Guid, _>(customer)
            .sql(" AND user_id = t.id OFFSET 0) AS u WHERE u.deleted_at IS NULL")
            .returning();
        query.load(self).await
    }

    async fn users_by_key(
        &mut self,
        customer: Id,
        keys: &[String],
    ) -> QueryResult<Vec<(String, Id, String)>> {
        let query: Sql<'_, _, (Text, Guid, Text)> =
            sql("SELECT t.key, u.user_id, u.principal_name FROM unnest(")
                .bind::<Array<Text>, _>(keys)
                .sql(") AS t(key) CROSS JOIN LATERAL (SELECT user_id, principal_name, deleted_at FROM users WHERE customer_id = ")
                .bind::<Guid, _>(customer)
                .sql(" AND principal_key = t.key OFFSET 0) AS u WHERE u.deleted_at IS NULL")
                .returning();
        query.load(self).await
    }
}

impl Lookup for sqlite::Connection {
    portable!();

    async fn users_by_id(&mut self, customer: Id, ids: &[Id]) -> QueryResult<Vec<(Id, String)>> {
        let query = u::table
            .filter(u::customer_id.eq(customer))
            .filter(u::user_id.eq_any(ids.to_vec()))
            .filter(u::deleted_at.is_null())
            .select((u::user_id, u::principal_name));
        query.load(self).await
    }

    async fn users_by_key(
        &mut self,
        customer: Id,
        keys: &[String],
    ) -> QueryResult<Vec<(String, Id, String)>> {
        let query = u::table
            .filter(u::customer_id.eq(customer))
            .filter(u::principal_key.eq_any(keys.to_vec()))
            .filter(u::deleted_at.is_null())
            .select((
                u::principal_key.assume_not_null(),
                u::user_id,
                u::principal_name,
            ));
        query.load(self).await
    }
}
