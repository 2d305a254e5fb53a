//! Licenses: what a customer owns of each product.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, SmallInt, Text};
use diesel_async::RunQueryDsl;

use super::error::{Error, Refusal};
use super::journal::Journal;
use super::later_plans::{decode_later_plans, encode_later_plans};
use super::portable::{Keys, Portable, Value, in_order, portable};
use super::record::Draft;
use super::schema::{licenses as l, products as p};
use super::types::{Guid, Id, Instant, Timestamp};
use super::{CustomerStore, check_version};
use crate::domain::{CustomerId, LaterPlans, Origin, Place, ProductId, Record, Seats};

/// A license as stored, with the names of its product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// The product.
    pub product: ProductId,
    /// The product's name for people.
    pub display_name: String,
    /// The product's technical name.
    pub string_id: String,
    /// The seats.
    pub seats: Seats,
    /// What becomes of plans that are added later; `None` is as the product says.
    pub later_plans: Option<LaterPlans>,
    /// Grows whenever the seats or the policy are set to others.
    pub version: i64,
    /// When one of them was last set.
    pub updated_at: Timestamp,
}

/// New seat numbers; `None` leaves a number as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeatsUpdate {
    /// Paid and in use.
    pub enabled: Option<i64>,
    /// In grace.
    pub warning: Option<i64>,
    /// Cancelled.
    pub suspended: Option<i64>,
    /// The seats assigned, and the fewer that would be assignable, that the caller has confirmed.
    pub confirmed: Option<[i64; 2]>,
    /// The version that the caller read.
    pub version: Option<i64>,
}

pub(super) type Row = (Id, String, String, i64, i64, i64, i64, i16, i64, Timestamp);
type Columns = (
    Guid,
    Text,
    Text,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    SmallInt,
    BigInt,
    Instant,
);

impl From<Row> for License {
    fn from(row: Row) -> Self {
        let (product, display_name, string_id, enabled, warning, suspended, assigned, ..) = row;
        let (.., later_plans, version, updated_at) = row;
        let seats = Seats {
            enabled,
            warning,
            suspended,
            assigned,
        };
        Self {
            product: product.into(),
            display_name,
            string_id,
            seats,
            later_plans: decode_later_plans(later_plans),
            version,
            updated_at,
        }
    }
}

macro_rules! select_licenses {
    ($customer:expr) => {
        l::table
            .inner_join(p::table.on(p::product_id.eq(l::product_id)))
            .filter(l::customer_id.eq(Id::from($customer)))
            .select((
                l::product_id,
                p::display_name,
                p::string_id,
                l::enabled,
                l::warning,
                l::suspended,
                l::assigned,
                l::later_plans,
                l::version,
                l::updated_at,
            ))
    };
}
pub(super) use select_licenses;

impl CustomerStore {
    /// Sets the seats of a license, creating it if there is none.
    pub async fn set_seats(
        &self,
        product: ProductId,
        update: SeatsUpdate,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<License, Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let names = p::table.find(Id::from(product)).select((p::display_name, p::string_id));
            let names: Option<(String, String)> = names.first(conn).await.optional()?;
            let Some((display_name, string_id)) = names else {
                return Err(not_found("product", product));
            };
            let found = select_licenses!(customer).filter(l::product_id.eq(Id::from(product)));
            let found: Option<License> =
                found.first::<Row>(conn).await.optional()?.map(License::from);
            check_version("license", product, update.version, found.as_ref().map_or(0, |l| l.version))?;
            let is_new = found.is_none();
            let before = found.unwrap_or(License {
                product, display_name, string_id, seats: Seats::default(), later_plans: None,
                version: 0, updated_at: now,
            });
            let after = updated(before.clone(), update, now)?;
            if is_new {
                let row = (
                    l::customer_id.eq(Id::from(customer)),
                    l::product_id.eq(Id::from(product)),
                    l::enabled.eq(after.seats.enabled),
                    l::warning.eq(after.seats.warning),
                    l::suspended.eq(after.seats.suspended),
                    l::assigned.eq(0),
                    l::later_plans.eq(encode_later_plans(None)),
                    l::version.eq(1),
                    l::updated_at.eq(now),
                );
                diesel::insert_into(l::table).values(row).execute(conn).await?;
            } else if after != before {
                diesel::update(l::table.find((Id::from(customer), Id::from(product))))
                    .set((
                        l::enabled.eq(after.seats.enabled),
                        l::warning.eq(after.seats.warning),
                        l::suspended.eq(after.seats.suspended),
                        l::version.eq(after.version),
                        l::updated_at.eq(now),
                    ))
                    .execute(conn)
                    .await?;
            }
            if is_new || after != before {
                let set = |seats: Seats| [seats.enabled, seats.warning, seats.suspended];
                let old = (!is_new).then(|| set(before.seats));
                let record = Record::SeatsSet(product, old, set(after.seats));
                conn.record(Draft::new(customer, origin, now).record(&record)).await?;
            }
            Ok(License { version: after.version.max(1), ..after })
        })
    }

    /// Returns a license.
    pub async fn license(&self, product: ProductId) -> Result<License, Error> {
        let found: Option<Row> = read!(self, conn => {
            let query = select_licenses!(self.customer).filter(l::product_id.eq(Id::from(product)));
            query.first(conn).await.optional()
        })?;
        let Some(found) = found else {
            self.customer().await?;
            return Err(not_found("license", product));
        };
        Ok(found.into())
    }

    /// Returns up to `limit` licenses at a place, by the product's display name and id; only those
    /// with a seat available, or without, if said so. A customer has some ten, so no index orders
    /// them.
    pub async fn licenses(
        &self,
        available: Option<bool>,
        place: &Place<(String, ProductId)>,
        limit: i64,
    ) -> Result<Vec<License>, Error> {
        const KEYS: Keys = &["p.sort_key", "l.product_id"];
        let select = "SELECT l.product_id, p.display_name, p.string_id, l.enabled, l.warning, \
                      l.suspended, l.assigned, l.later_plans, l.version, l.updated_at";
        let key = |(name, id): &(String, ProductId)| {
            vec![Value::Text(name.clone()), Value::Id(Id::from(*id))]
        };
        let statement = listed(portable(select), self.customer, available)
            .beyond(KEYS, &place.map(key))
            .ordered(KEYS, place.is_backward())
            .limit(limit)
            .returning::<Columns>();
        let page: Vec<Row> = read!(self, conn => { statement.load(conn).await })?;
        if page.is_empty() {
            self.customer().await?;
        }
        let page = page.into_iter().map(License::from).collect();
        Ok(in_order(page, place))
    }

    /// Counts the licenses, only those with a seat available, or without, if said so.
    pub async fn count_licenses(&self, available: Option<bool>) -> Result<i64, Error> {
        let statement = listed(portable("SELECT count(*)"), self.customer, available);
        read!(self, conn => { statement.returning::<BigInt>().get_result(conn).await })
    }
}

fn listed(statement: Portable, customer: CustomerId, available: Option<bool>) -> Portable {
    let statement = statement
        .sql(" FROM licenses AS l INNER JOIN products AS p ON p.product_id = l.product_id")
        .sql(" WHERE l.customer_id = ")
        .id(customer);
    match available {
        None => statement,
        Some(true) => statement.sql(" AND l.enabled + l.warning > l.assigned"),
        Some(false) => statement.sql(" AND l.enabled + l.warning <= l.assigned"),
    }
}

/// The license after an update; the version and time move only if a number does.
fn updated(license: License, update: SeatsUpdate, now: Timestamp) -> Result<License, Error> {
    let before = license.seats;
    let seats = Seats {
        enabled: update.enabled.unwrap_or(before.enabled),
        warning: update.warning.unwrap_or(before.warning),
        suspended: update.suspended.unwrap_or(before.suspended),
        assigned: before.assigned,
    };
    if seats == before {
        return Ok(license);
    }
    let cut = seats.assignable() < before.assignable();
    let is_confirmed = update.confirmed == Some([seats.assigned, seats.assignable()]);
    if cut && seats.available() < 0 && !is_confirmed {
        return Err(Error::Refused(Refusal::SeatsBelowAssigned {
            product: license.product,
            assigned: seats.assigned,
            assignable: seats.assignable(),
        }));
    }
    Ok(License {
        seats,
        version: license.version + 1,
        updated_at: now,
        ..license
    })
}

pub(super) fn not_found(resource: &'static str, product: ProductId) -> Error {
    Refusal::NotFound {
        resource,
        id: product.to_string(),
    }
    .into()
}
