//! Customers.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use super::error::{Error, Refusal, is_duplicate};
use super::journal::Journal;
use super::portable::{Keys, Value, in_order, portable, prefix_range};
use super::record::Draft;
use super::schema::customers as c;
use super::types::{Guid, Id, Instant, Timestamp};
use super::{Store, check_version};
use crate::domain::{CustomerId, DisplayName, Origin, Place, Record, fold};

/// A customer as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = c)]
pub struct Customer {
    /// Its id.
    #[diesel(deserialize_as = Id)]
    pub customer_id: CustomerId,
    /// Name for people.
    pub display_name: String,
    /// Grows with every change of the customer itself.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it itself was last changed.
    pub updated_at: Timestamp,
}

type CustomerColumns = (Guid, Text, BigInt, Instant, Instant);

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

    /// Returns a customer.
    pub async fn customer(&self, id: CustomerId) -> Result<Customer, Error> {
        let found: Option<Customer> = read!(self, conn => {
            let query = c::table.find(Id::from(id)).select(Customer::as_select());
            query.first(conn).await.optional()
        })?;
        found.ok_or_else(|| not_found(id))
    }

    /// Returns up to `limit` customers at a place, by display name and id; only those whose name
    /// begins with the text, if given.
    pub async fn customers(
        &self,
        search: Option<&str>,
        place: &Place<(String, CustomerId)>,
        limit: i64,
    ) -> Result<Vec<Customer>, Error> {
        const KEYS: Keys = &["sort_key", "customer_id"];
        let select = "SELECT customer_id, display_name, version, created_at, updated_at \
                      FROM customers WHERE TRUE";
        let key = |(name, id): &(String, CustomerId)| {
            vec![Value::Text(name.clone()), Value::Id(Id::from(*id))]
        };
        let (statement, key_place) = (portable(select), place.map(key));
        let statement = match search {
            None => statement.beyond(KEYS, &key_place),
            Some(text) => statement.beyond_within(KEYS, &key_place, &prefix_range(text)),
        };
        let statement = statement.ordered(KEYS, place.is_backward()).limit(limit);
        let rows = read!(self, conn => {
            statement.returning::<CustomerColumns>().load(conn).await
        })?;
        Ok(in_order(rows, place))
    }

    /// Counts the customers, only those whose name begins with the text, if given.
    pub async fn count_customers(&self, search: Option<&str>) -> Result<i64, Error> {
        let mut statement = portable("SELECT count(*) FROM customers WHERE TRUE");
        if let Some(text) = search {
            statement = statement.beyond_within(&["sort_key"], &Place::First, &prefix_range(text));
        }
        read!(self, conn => { statement.returning::<BigInt>().get_result(conn).await })
    }

    /// Changes a customer, if it is still at `version` (when given).
    pub async fn update_customer(
        &self,
        id: CustomerId,
        name: Option<&DisplayName>,
        version: Option<i64>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Customer, Error> {
        let record = Draft::new(id, origin, now).record(&Record::CustomerRenamed(id));
        let _turn = self.queue(id).await;
        write_tx!(self, conn => {
            lock_customer!(conn, id)?;
            let found = c::table.find(Id::from(id)).select(Customer::as_select());
            let found: Customer = found.first(conn).await?;
            check_version("customer", id, version, found.version)?;
            let Some(name) = name.filter(|name| name.as_str() != found.display_name) else {
                return Ok(found);
            };
            let changed = diesel::update(c::table.find(Id::from(id)))
                .set((
                    c::display_name.eq(name.as_str()),
                    c::sort_key.eq(fold(name.as_str())),
                    c::version.eq(found.version + 1),
                    c::updated_at.eq(now),
                ))
                .returning(Customer::as_returning())
                .get_result(conn)
                .await?;
            conn.record(record.clone()).await?;
            Ok(changed)
        })
    }
}

pub(super) fn not_found(id: CustomerId) -> Error {
    Refusal::NotFound {
        resource: "customer",
        id: id.to_string(),
    }
    .into()
}
