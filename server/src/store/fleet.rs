//! All customers at once: the only statements that cross customers, and all of them read. What the
//! service does by itself begins here, with a key to each customer that it finds.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use super::batches::RUNNING;
use super::customers::CustomerColumns;
use super::members::members;
use super::portable::{Keys, Portable, Value, in_order, portable, prefix_range};
use super::schema::{batches as b, customers as c};
use super::types::{Id, Ids, Timestamp};
use super::{Customer, Error, Store};
use crate::domain::{BatchId, CustomerId, Customers, INSTALLATION, Place, Scope};

impl Store {
    /// Returns up to `limit` of these customers at a place, by display name and id; only those whose
    /// name begins with the text, if given.
    pub async fn customers(
        &self,
        among: &Customers,
        search: Option<&str>,
        place: &Place<(String, CustomerId)>,
        limit: i64,
    ) -> Result<Vec<Customer>, Error> {
        const KEYS: Keys = &["sort_key", "customer_id"];
        let select = "SELECT customer_id, display_name, guard_users, guard_percent, version, \
                      created_at, updated_at";
        let key = |(name, id): &(String, CustomerId)| {
            vec![Value::Text(name.clone()), Value::Id(Id::from(*id))]
        };
        let (statement, key_place) = (select_from(select, among), place.map(key));
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

    /// Counts these customers, only those whose name begins with the text, if given.
    pub async fn count_customers(
        &self,
        among: &Customers,
        search: Option<&str>,
    ) -> Result<i64, Error> {
        let mut statement = select_from("SELECT count(*)", among);
        if let Some(text) = search {
            statement = statement.beyond_within(&["sort_key"], &Place::First, &prefix_range(text));
        }
        read!(self, conn => { statement.returning::<BigInt>().get_result(conn).await })
    }

    /// Returns up to `limit` of all customers at a place, by display name and id, each with the key to
    /// it.
    pub async fn customers_to_judge(
        &self,
        place: &Place<(String, CustomerId)>,
        limit: i64,
    ) -> Result<Vec<(Scope, Customer)>, Error> {
        let customers = self.customers(&Customers::All, None, place, limit).await?;
        let enter = |customer: Customer| (Scope::of_service(customer.customer_id), customer);
        Ok(customers.into_iter().map(enter).collect())
    }

    /// Returns up to `limit` customers after one, by id.
    pub async fn customers_after(
        &self,
        after: Option<Scope>,
        limit: i64,
    ) -> Result<Vec<Scope>, Error> {
        // No customer has the installation's id, which comes first.
        let after = Id::from(after.map_or(INSTALLATION, Scope::customer));
        let ids: Vec<Id> = read!(self, conn => {
            let ids = c::table.filter(c::customer_id.gt(after)).order(c::customer_id);
            ids.limit(limit).select(c::customer_id).load(conn).await
        })?;
        let enter = |id: Id| Scope::of_service(id.into());
        Ok(ids.into_iter().map(enter).collect())
    }

    /// The installation's journal.
    pub fn installation(&self) -> Scope {
        Scope::of_service(INSTALLATION)
    }

    /// Looks for batches that nobody works on any more.
    pub async fn abandoned_batches(
        &self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<(Scope, BatchId)>, Error> {
        let rows: Vec<(Id, Id)> = read!(self, conn => {
            b::table
                .filter(b::state.eq(RUNNING))
                .filter(b::lease_expires_at.lt(now))
                .order((b::customer_id, b::batch_id))
                .select((b::customer_id, b::batch_id))
                .limit(limit)
                .load(conn)
                .await
        })?;
        let enter = |(customer, id): (Id, Id)| (Scope::of_service(customer.into()), id.into());
        Ok(rows.into_iter().map(enter).collect())
    }
}

/// A statement over customers; conditions can follow. Those that are listed are found by id, one by
/// one: there are as many as somebody has grants for, and everybody else's are never looked at.
fn select_from(select: &'static str, among: &Customers) -> Portable {
    match among {
        Customers::All => portable(select).sql(" FROM customers WHERE TRUE"),
        Customers::Listed(listed) => {
            let listed: Ids = listed.iter().copied().collect();
            members(listed).sql(select).per_engine(
                " FROM n CROSS JOIN LATERAL (SELECT * FROM customers WHERE customer_id = n.id \
                 OFFSET 0) AS c WHERE TRUE",
                " FROM n CROSS JOIN customers AS c WHERE c.customer_id = n.id",
            )
        }
    }
}
