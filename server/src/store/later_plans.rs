//! Plans that editions add to products: what shall become of them, and whom they have reached.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use super::error::Error;
use super::journal::Journal;
use super::licenses::{License, Row, not_found, select_licenses};
use super::portable::{Portable, portable};
use super::record::Draft;
use super::schema::{licenses as l, product_plans as pp, products as p};
use super::types::{Guid, Id, Timestamp};
use super::{CustomerStore, check_version};
use crate::domain::{CustomerId, LaterPlans, Origin, PlanId, ProductId, Record, UserId};

const BY_PRODUCT: i16 = 0;
const ON: i16 = 1;
const OFF: i16 = 2;

/// What is stored; `None` is "as the product says".
pub(super) fn encode_later_plans(later: Option<LaterPlans>) -> i16 {
    match later {
        None => BY_PRODUCT,
        Some(LaterPlans::On) => ON,
        Some(LaterPlans::Off) => OFF,
    }
}

pub(super) fn decode_later_plans(stored: i16) -> Option<LaterPlans> {
    match stored {
        ON => Some(LaterPlans::On),
        OFF => Some(LaterPlans::Off),
        _ => None,
    }
}

impl From<i16> for LaterPlans {
    fn from(stored: i16) -> Self {
        decode_later_plans(stored).unwrap_or_default()
    }
}

/// An assignment whose product has gained plans that are on for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GainedPlans {
    /// The user.
    pub user: UserId,
    /// Its sign-in name.
    pub principal_name: String,
    /// Its name for people.
    pub display_name: String,
    /// The product.
    pub product: ProductId,
    /// The plans, by id.
    pub plans: Vec<PlanId>,
}

impl CustomerStore {
    /// Says what becomes of plans that are added later, for users of this customer.
    pub async fn set_later_plans(
        &self,
        product: ProductId,
        later: Option<LaterPlans>,
        version: Option<i64>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<License, Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let found = select_licenses!(customer).filter(l::product_id.eq(Id::from(product)));
            let found: Option<Row> = found.first(conn).await.optional()?;
            let before = License::from(found.ok_or_else(|| not_found("license", product))?);
            check_version("license", product, version, before.version)?;
            if before.later_plans == later {
                return Ok(before);
            }
            let set = Record::LaterPlansSet(product, [before.later_plans, later]);
            let after = License {
                later_plans: later,
                version: before.version + 1,
                updated_at: now,
                ..before
            };
            diesel::update(l::table.find((Id::from(customer), Id::from(product))))
                .set((
                    l::later_plans.eq(encode_later_plans(later)),
                    l::version.eq(after.version),
                    l::updated_at.eq(now),
                ))
                .execute(conn)
                .await?;
            conn.record(Draft::new(customer, origin, now).record(&set)).await?;
            Ok(after)
        })
    }

    /// Returns up to `limit` assignments after `after`, by product and user, that have gained plans
    /// which were added after the version `since`: with the choice of all plans but some, made before
    /// they were. There is a statement per product that has gained plans, until the page is full.
    pub async fn gained_plans(
        &self,
        since: i64,
        after: Option<(ProductId, UserId)>,
        limit: i64,
    ) -> Result<Vec<GainedPlans>, Error> {
        let added: Vec<(Id, Id, i64)> = read!(self, conn => {
            pp::table
                .filter(pp::added_version.gt(since))
                .select((pp::product_id, pp::plan_id, pp::added_version))
                .order((pp::product_id, pp::plan_id))
                .load(conn)
                .await
        })?;
        let mut products: BTreeMap<Id, Vec<(PlanId, i64)>> = BTreeMap::new();
        for (product, plan, version) in added {
            products
                .entry(product)
                .or_default()
                .push((plan.into(), version));
        }
        let mut gained = Vec::new();
        for (product, plans) in products {
            let room = limit - gained.len() as i64;
            let beyond = match after {
                Some((last, _)) if product < Id::from(last) => continue,
                Some((last, user)) if product == Id::from(last) => Some(user),
                _ => None,
            };
            if room <= 0 {
                break;
            }
            let newest = plans.iter().map(|(_, version)| *version).max().unwrap_or(0);
            let statement = holders(self.customer, product, newest, beyond, room);
            let rows: Vec<(Id, String, String, i64)> =
                read!(self, conn => { statement.load(conn).await })?;
            gained.extend(
                rows.into_iter()
                    .map(|(user, principal_name, display_name, chosen)| {
                        let later = plans.iter().filter(|(_, version)| *version > chosen);
                        GainedPlans {
                            user: user.into(),
                            principal_name,
                            display_name,
                            product: product.into(),
                            plans: later.map(|(plan, _)| *plan).collect(),
                        }
                    }),
            );
        }
        if gained.is_empty() {
            self.customer().await?;
        }
        Ok(gained)
    }
}

/// Users who hold the product with a choice of all plans but some that is older than a version of the
/// catalogue. A plan that was not there then cannot be one of those.
fn holders(
    customer: CustomerId,
    product: Id,
    version: i64,
    beyond: Option<UserId>,
    limit: i64,
) -> Portable<(Guid, Text, Text, BigInt)> {
    let mut statement = portable(
        "SELECT a.user_id, u.principal_name, u.display_name, a.catalogue_version \
         FROM assignments AS a \
         INNER JOIN users AS u ON u.customer_id = a.customer_id AND u.user_id = a.user_id \
         LEFT JOIN plan_choices AS c \
         ON c.customer_id = a.customer_id AND c.choice_id = a.choice_id \
         WHERE a.customer_id = ",
    )
    .id(customer)
    .sql(" AND a.product_id = ")
    .id(product)
    .sql(" AND a.catalogue_version < ")
    .number(version)
    .sql(" AND (c.only_named IS NULL OR NOT c.only_named)");
    if let Some(user) = beyond {
        statement = statement.sql(" AND a.user_id > ").id(user);
    }
    statement
        .sql(" ORDER BY a.user_id LIMIT ")
        .number(limit)
        .returning()
}
