//! Customers.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::error::{Error, Refusal, is_duplicate};
use super::journal::Journal;
use super::record::Draft;
use super::schema::customers as c;
use super::types::{Guid, Id, Instant, Timestamp};
use super::{CustomerStore, Store, check_version, sqlite};
use crate::domain::{CustomerId, DisplayName, Guard, Origin, Record, fold};

/// A customer as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = c)]
pub struct Customer {
    /// Its id.
    #[diesel(deserialize_as = Id)]
    pub customer_id: CustomerId,
    /// Name for people.
    pub display_name: String,
    /// Users who may lose a product by one batch unasked.
    pub guard_users: Option<i64>,
    /// The same in percent of a product's holders.
    pub guard_percent: Option<i64>,
    /// Grows with every change of the customer itself.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it itself was last changed.
    pub updated_at: Timestamp,
}

/// New values of a customer; `None` means unchanged.
#[derive(Debug, Clone, Default)]
pub struct CustomerUpdate {
    /// Name for people.
    pub display_name: Option<DisplayName>,
    /// How much a batch may take away unasked.
    pub guard: Option<Guard>,
}

pub(super) type CustomerColumns = (
    Guid,
    Text,
    Nullable<BigInt>,
    Nullable<BigInt>,
    BigInt,
    Instant,
    Instant,
);

impl Store {
    /// Creates a customer. Refused with `Exists` if the id is taken.
    pub async fn create_customer(
        &self,
        id: CustomerId,
        name: &DisplayName,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Customer, Error> {
        let record = Draft::new(id, origin, now).record(&Record::CustomerCreated(id));
        write_tx!(self, conn => {
            let row = (
                c::customer_id.eq(Id::from(id)),
                c::display_name.eq(name.as_str()),
                c::sort_key.eq(fold(name.as_str())),
                c::change_seq.eq(0),
                c::change_hash.eq([0; 32].as_slice()),
                c::changed_at.eq(now),
                c::version.eq(1),
                c::created_at.eq(now),
                c::updated_at.eq(now),
            );
            let created = diesel::insert_into(c::table)
                .values(row)
                .returning(Customer::as_returning())
                .get_result(conn)
                .await;
            let created = created.map_err(|error| {
                let taken = Refusal::Exists { resource: "customer", field: "customer_id" };
                if is_duplicate(&error) { Error::from(taken) } else { error.into() }
            })?;
            conn.record(record.clone()).await?;
            Ok(created)
        })
    }
}

impl CustomerStore {
    /// Returns the customer itself.
    pub async fn customer(&self) -> Result<Customer, Error> {
        let found: Option<Customer> = read!(self, conn => {
            let query = c::table.find(Id::from(self.customer)).select(Customer::as_select());
            query.first(conn).await.optional()
        })?;
        found.ok_or_else(|| not_found(self.customer))
    }

    /// Changes the customer itself, if it is still at `version` (when given).
    pub async fn update_customer(
        &self,
        update: &CustomerUpdate,
        version: Option<i64>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Customer, Error> {
        let id = self.customer;
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, id)?;
            let found = c::table.find(Id::from(id)).select(Customer::as_select());
            let found: Customer = found.first(conn).await?;
            check_version("customer", id, version, found.version)?;
            let mut new = found.clone();
            if let Some(name) = &update.display_name {
                new.display_name = name.as_str().to_owned();
            }
            if let Some(guard) = update.guard {
                new.guard_users = guard.users.map(i64::from);
                new.guard_percent = guard.percent.map(i64::from);
            }
            if new == found {
                return Ok(found);
            }
            let changed = diesel::update(c::table.find(Id::from(id)))
                .set((
                    c::display_name.eq(&new.display_name),
                    c::sort_key.eq(fold(&new.display_name)),
                    c::guard_users.eq(new.guard_users),
                    c::guard_percent.eq(new.guard_percent),
                    c::version.eq(found.version + 1),
                    c::updated_at.eq(now),
                ))
                .returning(Customer::as_returning())
                .get_result(conn)
                .await?;
            let renamed = new.display_name != found.display_name;
            let guards = [found.guard(), new.guard()];
            let records = [
                renamed.then_some(Record::CustomerRenamed(id)),
                (guards[0] != guards[1]).then_some(Record::GuardSet(id, guards)),
            ];
            let draft = Draft::new(id, origin, now).records(records.into_iter().flatten());
            conn.record(draft).await?;
            Ok(changed)
        })
    }
}

/// Reads the guard of a customer; none if there is no such customer.
pub(super) trait ReadGuard {
    async fn guard(&mut self, customer: CustomerId) -> QueryResult<Guard>;
}

macro_rules! read_guard {
    ($($conn:ty)*) => { $(
        impl ReadGuard for $conn {
            async fn guard(&mut self, customer: CustomerId) -> QueryResult<Guard> {
                let found: Option<(Option<i64>, Option<i64>)> = c::table
                    .find(Id::from(customer))
                    .select((c::guard_users, c::guard_percent))
                    .first(self)
                    .await
                    .optional()?;
                let (users, percent) = found.unwrap_or_default();
                Ok(guard(users, percent))
            }
        }
    )* };
}

read_guard!(AsyncPgConnection sqlite::Connection);

impl Customer {
    /// How much a batch may take away unasked.
    pub fn guard(&self) -> Guard {
        guard(self.guard_users, self.guard_percent)
    }
}

fn guard(users: Option<i64>, percent: Option<i64>) -> Guard {
    // What is stored was a `u32`.
    let limit = |limit: i64| u32::try_from(limit).unwrap_or(u32::MAX);
    Guard {
        users: users.map(limit),
        percent: percent.map(limit),
    }
}

pub(super) fn not_found(id: CustomerId) -> Error {
    Refusal::NotFound {
        resource: "customer",
        id: id.to_string(),
    }
    .into()
}
