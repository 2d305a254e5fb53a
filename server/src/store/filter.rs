//! Users who meet a filter, in order: page by page, counted, or all of their ids.
//!
//! A page is read in one of two ways. Either the index of the order is walked from the page's place,
//! and each user is checked on the way; or, if one condition is met by few users, these are looked up
//! and sorted. Which it is, is decided by counting up to a limit first, not by statistics. Conditions
//! that are checked on the way are written as `(…) IS TRUE`, which no index can serve, so that no
//! planner takes another way.
//!
//! Where walking may find hardly anybody (users lack a product, or meet several conditions), so many
//! users are walked and no more; if that does not fill the page, everybody is looked up whom the best
//! condition finds, in the order of ids, in which neighbours share pages.
//!
//! Indexes, and a page of 50 among 1,000,000 users of one customer, the slowest of the first, the last,
//! one before that and one in the middle; milliseconds, two cores, SQLite and PostgreSQL 15:
//!
//! | condition | index | SQLite | PostgreSQL |
//! |---|---|--:|--:|
//! | order by display name | `users_sort_idx` | 0.5 | 0.4 |
//! | search, 4 users | both names' indexes | 0.6 | 0.8 |
//! | search, 38,000 users | the same; see below | 134 | 230 |
//! | state, 30,000 or 970,000 users | `users_active_idx`, `users_sort_idx` | 10 | 5 |
//! | usage location, 1,000 or 598,000 users | `users_location_idx` | 4 | 5 |
//! | not active since, 540,000 users | `users_last_active_idx` | 0.9 | 1.9 |
//! | never active, 100,000 users, not evenly spread | the same | 115 | 132 |
//! | holds a product, 1,000 or 900,000 users | `assignments_product_idx`, `assignments_pkey` | 4 | 5 |
//! | holds a plan, 1,000 users | the same | 3 | 6 |
//! | holds a plan, 250,000 users; last page | the same | 1.5; 365 | 2.2; 711 |
//! | lacks a product, 100,000 users; last page | `assignments_pkey` | 3; 1,067 | 6; 1,443 |
//! | lacks a product, 10 users | none: every user must be asked | 1,001 | 1,101 |
//! | failed in a batch, 1,000 or 100,000 users | `batch_results_pkey`; all are looked up | 2; 343 | 5; 638 |
//! | state and location, which nobody meets both | 30,000 users must be asked | 180 | 361 |
//!
//! Where many names begin with the text, those that the list is not ordered by are all looked up and
//! sorted: walking took 8 s to find that each of 38,000 users was found by the other name already.
//! To count all users takes 0.2 s at most, to read all ids in order as long; to read the ids of those
//! who meet a condition that most do takes 3 to 5 s.

mod driver;
mod question;

use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use self::question::Question;
use super::error::Error;
use super::portable::{Portable, in_order};
use super::types::{Guid, Id, Instant};
use super::users::User;
use super::{CustomerStore, sqlite, tally};
use crate::domain::{CustomerId, Place, UserFilter, UserId, UserOrder};

/// So few users are looked up and sorted for a page; among more, walking finds enough for it soon.
/// Tests have few users and go both ways.
const PAGE_USERS_MAX: i64 = if cfg!(test) { 20 } else { 5_000 };
/// So many are walked for a page that may find hardly anybody.
const WALKED_USERS_MAX: i64 = if cfg!(test) { 30 } else { 20_000 };
/// So few are looked up where all users who meet the filter are wanted, and all would be walked.
const ALL_USERS_MAX: i64 = if cfg!(test) { 40 } else { 200_000 };

/// The columns of `User`, in order, of `u`.
pub(super) const USER_COLUMNS: &str = "u.user_id, u.principal_name, u.display_name, u.usage_location, u.active, \
     u.last_active_at, u.version, u.created_at, u.updated_at";

/// The place of a user in a list: the key that the order compares first, and the id.
pub type UserKey = (String, UserId);

type UserColumns = (
    Guid,
    Text,
    Text,
    Nullable<Text>,
    Bool,
    Nullable<Instant>,
    BigInt,
    Instant,
    Instant,
);

/// What filters need of a connection, of either engine, so that they can be part of a transaction.
pub(super) trait Reads {
    async fn number(&mut self, statement: Portable<BigInt>) -> QueryResult<Option<i64>>;
    async fn ids(&mut self, statement: Portable<Guid>) -> QueryResult<Vec<Id>>;
    async fn users(&mut self, statement: Portable<UserColumns>) -> QueryResult<Vec<User>>;
    async fn choices(
        &mut self,
        statement: Portable<(Integer, Bool, Binary)>,
    ) -> QueryResult<Vec<(i32, bool, Vec<u8>)>>;
    /// Products and choices with their counts: rows of PostgreSQL, what `tally` returns on SQLite.
    async fn counts(&mut self, statement: Portable) -> QueryResult<Vec<(Id, i32, i64)>>;
}

macro_rules! reads {
    ($($connection:ty { $($own:tt)* })*) => { $(
        impl Reads for $connection {
            async fn number(&mut self, statement: Portable<BigInt>) -> QueryResult<Option<i64>> {
                statement.get_result(self).await.optional()
            }
            $($own)*
            async fn users(&mut self, statement: Portable<UserColumns>) -> QueryResult<Vec<User>> {
                statement.load(self).await
            }
            async fn choices(
                &mut self,
                statement: Portable<(Integer, Bool, Binary)>,
            ) -> QueryResult<Vec<(i32, bool, Vec<u8>)>> {
                statement.load(self).await
            }
        }
    )* };
}

reads! {
    AsyncPgConnection {
        async fn ids(&mut self, statement: Portable<Guid>) -> QueryResult<Vec<Id>> {
            statement.load(self).await
        }
        async fn counts(&mut self, statement: Portable) -> QueryResult<Vec<(Id, i32, i64)>> {
            let statement = statement.returning::<(Guid, Integer, BigInt)>();
            statement.load(self).await
        }
    }
    sqlite::Connection {
        // The async face would keep a million rows apart first, at many times the size of an id.
        async fn ids(&mut self, statement: Portable<Guid>) -> QueryResult<Vec<Id>> {
            self.spawn_blocking(move |conn| diesel::RunQueryDsl::load(statement, conn))
                .await
        }
        async fn counts(&mut self, statement: Portable) -> QueryResult<Vec<(Id, i32, i64)>> {
            let statement = statement.returning::<Binary>();
            let bytes: Vec<u8> = statement.get_result(self).await?;
            Ok(tally::decode(&bytes))
        }
    }
}

impl CustomerStore {
    /// Returns up to `limit` users who meet the filter, at a place of the order. Refused if the
    /// filter names a batch that the customer does not have.
    pub async fn users(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        place: &Place<UserKey>,
        limit: i64,
    ) -> Result<Vec<User>, Error> {
        let page =
            read!(self, conn => users(conn, self.customer, filter, order, place, limit).await)?;
        if page.is_empty() {
            self.customer().await?;
        }
        Ok(page)
    }

    /// Counts the users who meet the filter.
    pub async fn count_users(&self, filter: &UserFilter) -> Result<i64, Error> {
        read!(self, conn => count_users(conn, self.customer, filter).await)
    }

    /// Returns the ids of up to `limit` users who meet the filter, by display name and id.
    pub async fn user_ids(&self, filter: &UserFilter, limit: i64) -> Result<Vec<UserId>, Error> {
        let ids = read!(self, conn => user_ids(conn, self.customer, filter, limit).await)?;
        if ids.is_empty() {
            self.customer().await?;
        }
        Ok(ids)
    }
}

/// As `CustomerStore::users`, on a connection; without users if there is no such customer.
pub(super) async fn users(
    conn: &mut impl Reads,
    customer: CustomerId,
    filter: &UserFilter,
    order: UserOrder,
    place: &Place<UserKey>,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let question = Question::new(conn, customer, filter).await?;
    let mut sources = question.sources(conn, order, PAGE_USERS_MAX).await?;
    let mut horizon = None;
    if question.may_walk_far(&sources) {
        horizon = question
            .horizon(conn, order, place, WALKED_USERS_MAX)
            .await?;
        sources[0].until.clone_from(&horizon);
    }
    let columns = (USER_COLUMNS, "u.*");
    let statement = question.list(columns, &sources, order, place, limit);
    let mut users = conn.users(statement.returning()).await?;
    if horizon.is_some() && (users.len() as i64) < limit {
        let sources = question.exhaustive(conn).await?;
        let statement = question.list(columns, &sources, order, place, limit);
        users = conn.users(statement.returning()).await?;
    }
    Ok(in_order(users, place))
}

/// As `Store::count_users`, on a connection.
pub(super) async fn count_users(
    conn: &mut impl Reads,
    customer: CustomerId,
    filter: &UserFilter,
) -> Result<i64, Error> {
    let question = Question::new(conn, customer, filter).await?;
    if let Some(count) = question.known_count(conn).await? {
        return Ok(count);
    }
    let sources = question.sources(conn, UserOrder::Id, ALL_USERS_MAX).await?;
    let mut count = 0;
    for source in &sources {
        let statement = question.select("count(*)", source, UserOrder::Id, &Place::First);
        count += conn.number(statement.returning()).await?.unwrap_or(0);
    }
    Ok(count)
}

/// As `Store::user_ids`, on a connection; without users if there is no such customer.
pub(super) async fn user_ids(
    conn: &mut impl Reads,
    customer: CustomerId,
    filter: &UserFilter,
    limit: i64,
) -> Result<Vec<UserId>, Error> {
    let order = UserOrder::DisplayName;
    let question = Question::new(conn, customer, filter).await?;
    let sources = question.sources(conn, order, ALL_USERS_MAX).await?;
    let columns = ("u.user_id", "u.user_id, u.sort_key");
    let statement = question.list(columns, &sources, order, &Place::First, limit);
    let ids = conn.ids(statement.returning()).await?;
    Ok(ids.into_iter().map(UserId::from).collect())
}
