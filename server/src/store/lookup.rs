//! Who the users are that a request names, among those not deleted.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::schema::users as u;
use super::sql::{Sql, sql};
use super::sqlite;
use super::types::{Guid, Id};

/// Users looked up by one statement.
pub(super) const LOOKUP_USERS: usize = 5_000;

/// Looks users up; those that are not there are left out.
pub(super) trait Lookup {
    async fn users_by_id(&mut self, customer: Id, ids: &[Id]) -> QueryResult<Vec<(Id, String)>>;
    async fn users_by_key(
        &mut self,
        customer: Id,
        keys: &[String],
    ) -> QueryResult<Vec<(String, Id, String)>>;
}

/// `OFFSET 0` keeps PostgreSQL from walking the whole customer when it has planned on an empty table.
impl Lookup for AsyncPgConnection {
    async fn users_by_id(&mut self, customer: Id, ids: &[Id]) -> QueryResult<Vec<(Id, String)>> {
        let query: Sql<'_, _, (Guid, Text)> = sql("SELECT u.user_id, u.principal_name FROM unnest(")
            .bind::<Array<Guid>, _>(ids)
            .sql(") AS t(id) CROSS JOIN LATERAL (SELECT user_id, principal_name FROM users WHERE customer_id = ")
            .bind::<Guid, _>(customer)
            .sql(" AND user_id = t.id AND deleted_at IS NULL OFFSET 0) AS u")
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
                .sql(") AS t(key) CROSS JOIN LATERAL (SELECT user_id, principal_name FROM users WHERE customer_id = ")
                .bind::<Guid, _>(customer)
                .sql(" AND principal_key = t.key AND deleted_at IS NULL OFFSET 0) AS u")
                .returning();
        query.load(self).await
    }
}

impl Lookup for sqlite::Connection {
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
