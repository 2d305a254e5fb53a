//! The store: everything durable, on SQLite or PostgreSQL. The only place for Diesel and SQL.
//!
//! Promises to callers, each held by a test of the contract suite:
//! 1. A call that returns `Ok` is durable. `Refused` and `Conflict` wrote nothing; after
//!    `Unavailable` it is not known.
//! 2. Writes to one customer happen one after another, in one order that every reader sees.
//! 3. No assignment takes a seat that is not there, and `licenses.assigned` is the number of
//!    assignments at every commit.
//! 4. A chunk's assignments, seats, change rows, results and progress commit together or not at all.
//! 5. A decision may be asked for more than once for one chunk; only the last one is written.
//! 6. Both engines answer alike.
//!
//! Callers run every call in a task of its own: a dropped future could leave a transaction open.

use std::sync::Arc;

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::bb8::Pool;

use scoped::Queues;

/// One query, two engines: the expression is expanded, and type-checked, once for each.
macro_rules! read {
    ($store:expr, $conn:ident => $query:expr) => {
        match &$store.db {
            crate::store::Db::Postgres(pool) => {
                let mut held = pool.get().await.map_err(crate::store::error::unavailable)?;
                let $conn = &mut *held;
                $query.map_err(crate::store::Error::from)
            }
            crate::store::Db::Sqlite(db) => {
                let mut held = db
                    .readers
                    .get()
                    .await
                    .map_err(crate::store::error::unavailable)?;
                let $conn = &mut *held;
                $query.map_err(crate::store::Error::from)
            }
        }
    };
}

/// One transaction, two engines. `BEGIN IMMEDIATE` on SQLite: a deferred one cannot be upgraded.
macro_rules! write_tx {
    ($store:expr, $conn:ident => $body:block) => {
        match &$store.db {
            crate::store::Db::Postgres(pool) => {
                use diesel_async::AsyncConnection as _;
                let mut held = pool.get().await.map_err(crate::store::error::unavailable)?;
                let held: &mut diesel_async::AsyncPgConnection = &mut held;
                held.transaction::<_, crate::store::Error, _>(async |$conn| $body)
                    .await
            }
            crate::store::Db::Sqlite(db) => {
                let mut held = db.writer.lock().await;
                held.immediate_transaction::<_, crate::store::Error, _>(async |$conn| $body)
                    .await
            }
        }
    };
}

/// One read of several statements that see one moment, two engines.
macro_rules! read_tx {
    ($store:expr, $conn:ident => $body:block) => {
        match &$store.db {
            crate::store::Db::Postgres(pool) => {
                let mut held = pool.get().await.map_err(crate::store::error::unavailable)?;
                let held: &mut diesel_async::AsyncPgConnection = &mut held;
                held.build_transaction()
                    .repeatable_read()
                    .read_only()
                    .run::<_, crate::store::Error, _>(async |$conn| $body)
                    .await
            }
            crate::store::Db::Sqlite(db) => {
                use diesel_async::AsyncConnection as _;
                let mut held = db
                    .readers
                    .get()
                    .await
                    .map_err(crate::store::error::unavailable)?;
                let held: &mut crate::store::sqlite::Connection = &mut held;
                held.transaction::<_, crate::store::Error, _>(async |$conn| $body)
                    .await
            }
        }
    };
}

/// Locks the customer's row until the end of the transaction; refused if there is no such customer.
/// Writing first takes the lock on both engines, and does not block foreign keys to the customer.
macro_rules! lock_customer {
    ($conn:expr, $customer:expr) => {{
        use crate::store::schema::customers;
        let id = crate::store::types::Id::from($customer);
        let locked = diesel::update(customers::table.find(id))
            .set(customers::change_seq.eq(customers::change_seq))
            .execute($conn)
            .await;
        match locked {
            Ok(1) => Ok(()),
            Ok(_) => Err(crate::store::customers::not_found($customer)),
            Err(error) => Err(crate::store::Error::from(error)),
        }
    }};
}

mod accept;
mod assignments;
mod batches;
mod cancel;
mod catalogue;
mod catalogue_rows;
mod chain;
mod chunk;
mod codec;
#[cfg(test)]
mod contract;
mod customers;
mod diff;
mod directory;
mod earlier;
mod error;
mod filter;
mod fleet;
mod frozen;
mod history;
mod impact;
mod import;
mod journal;
mod later_plans;
mod licenses;
mod location;
mod lookup;
mod members;
mod migrate;
mod past;
mod portable;
mod postgres;
mod preview;
mod products;
mod record;
mod rehearse;
mod retention;
mod retry;
mod revert;
mod roll;
mod schema;
mod scoped;
mod selection;
mod snapshot;
mod sql;
mod sqlite;
mod summary;
mod tally;
mod types;
mod users;
mod violations;
mod walk;
mod watch;

pub use accept::{ATOMIC_USERS_MAX, Accepted, NewBatch};
pub use assignments::{Assignment, AssignmentFilter};
pub use batches::{Batch, Capacity, StoredResults};
pub use catalogue::{ImportOutcome, ImportPreview};
pub use chain::{Checkpoint, JournalPart, StoredCommit, StoredRecord};
pub use chunk::{Chunk, Decide, Decision, Written};
pub use customers::{Customer, CustomerUpdate};
pub use diff::{CatalogueChange, ChangeKind, StoredRule};
pub use error::{Error, Refusal, Unconfirmed};
pub use filter::UserKey;
pub use frozen::{FrozenSelection, NewSelection};
pub use history::{HistoryFilter, Recorded, Subject};
pub use impact::Impact;
pub use import::{ImportUser, Imported};
pub use later_plans::GainedPlans;
pub use licenses::{License, SeatsUpdate};
pub use location::{Exposure, Location};
pub use members::Holding;
pub use migrate::Schema;
pub use past::UserThen;
pub use postgres::connect_driver;
pub use preview::{Preview, Previewed, Promise};
pub use products::{PlanOfProduct, Product, ProductFilter};
pub use rehearse::{Rehearse, Rehearsed};
pub use retry::Retry;
pub use revert::Revert;
pub use roll::Users;
pub use scoped::CustomerStore;
pub use summary::{Held, Summary};
pub use types::{Id, Timestamp};
pub use users::{NewUser, User, UserUpdate};
pub use violations::{ViolationSummary, Violator, Violators};

/// A handle on the database: on what is no customer's, and by [`Store::of`] on what is one's. Cheap to
/// clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    url: Arc<str>,
    queues: Queues,
}

#[derive(Clone)]
enum Db {
    Postgres(Pool<AsyncPgConnection>),
    Sqlite(sqlite::Sqlite),
}

impl Store {
    /// Opens a database, creating a SQLite file that is not there. The schema is left as it is.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        let (db, url) = match location {
            Location::Postgres(url) => (Db::Postgres(postgres::open(url).await?), url.clone()),
            Location::Sqlite(path) => (
                Db::Sqlite(sqlite::open(path).await?),
                path.display().to_string(),
            ),
        };
        Ok(Self {
            db,
            url: url.into(),
            queues: Queues::default(),
        })
    }

    /// True if no other process can have the database open.
    pub fn is_exclusive(&self) -> bool {
        matches!(self.db, Db::Sqlite(_))
    }

    /// The secret that makes page tokens and cursors, made at the first start and kept: `fresh` is
    /// taken only if there is none.
    pub async fn token_key(&self, fresh: &[u8]) -> Result<Vec<u8>, Error> {
        use diesel::prelude::*;
        use diesel_async::RunQueryDsl;

        use schema::installation as i;
        write_tx!(self, conn => {
            let row = (
                i::id.eq(1),
                i::token_key.eq(fresh),
                i::catalogue_version.eq(0),
                i::access_version.eq(0),
                i::change_seq.eq(0),
                i::change_hash.eq([0; 32].as_slice()),
                i::changed_at.eq(Timestamp(0)),
            );
            diesel::insert_into(i::table).values(row).on_conflict_do_nothing().execute(conn).await?;
            Ok(i::table.find(1).select(i::token_key).first(conn).await?)
        })
    }
}

/// Refuses if the caller read another version than the thing has now.
fn check_version(
    resource: &'static str,
    id: impl std::fmt::Display,
    read: Option<i64>,
    version: i64,
) -> Result<(), Error> {
    match read {
        Some(read) if read != version => Err(Refusal::VersionMismatch {
            resource,
            id: id.to_string(),
            version,
        }
        .into()),
        _ => Ok(()),
    }
}
