//! Assignments: who holds what. They are changed by chunks of batches only.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use diesel_async::RunQueryDsl;

use super::CustomerStore;
use super::codec::decode_choice;
use super::error::Error;
use super::portable::{Keys, Portable, Value, in_order, portable};
use super::schema::plan_choices as pc;
use super::types::{Guid, Id, Instant, Timestamp};
use crate::domain::{BatchId, ChoiceId, Choices, CustomerId, Place, PlanChoice, ProductId, UserId};

/// An assignment as stored, with its choice of plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The user.
    pub user: UserId,
    /// The product.
    pub product: ProductId,
    /// The choice of plans.
    pub plans: PlanChoice,
    /// The batch that gave the product.
    pub batch: BatchId,
    /// When.
    pub assigned_at: Timestamp,
}

/// Conditions on assignments, all of which must hold; `None` is met by every one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssignmentFilter {
    /// The user.
    pub user: Option<UserId>,
    /// The product.
    pub product: Option<ProductId>,
}

impl AssignmentFilter {
    fn met(&self, statement: Portable, customer: CustomerId) -> Portable {
        let mut statement = statement
            .sql(" FROM assignments WHERE customer_id = ")
            .id(customer);
        if let Some(user) = self.user {
            statement = statement.sql(" AND user_id = ").id(user);
        }
        if let Some(product) = self.product {
            statement = statement.sql(" AND product_id = ").id(product);
        }
        statement
    }
}

type Row = (Id, Id, i32, Id, Timestamp);

impl CustomerStore {
    /// Returns up to `limit` assignments at a place, by user and product; only those of a user and
    /// of a product, if given.
    pub async fn assignments(
        &self,
        filter: AssignmentFilter,
        place: &Place<(UserId, ProductId)>,
        limit: i64,
    ) -> Result<Vec<Assignment>, Error> {
        // Of one user, or one product, the other alone makes the order, as in its index.
        let keys: Keys = match (filter.user, filter.product) {
            (None, None) => &["user_id", "product_id"],
            (None, Some(_)) => &["user_id"],
            (Some(_), _) => &["product_id"],
        };
        let key = |(user, product): &(UserId, ProductId)| {
            let (user, product) = (Value::Id((*user).into()), Value::Id((*product).into()));
            match (filter.user, filter.product) {
                (None, None) => vec![user, product],
                (None, Some(_)) => vec![user],
                (Some(_), _) => vec![product],
            }
        };
        let select = "SELECT user_id, product_id, choice_id, batch_id, assigned_at";
        let statement = filter
            .met(portable(select), self.customer)
            .beyond(keys, &place.map(key))
            .ordered(keys, place.is_backward())
            .limit(limit)
            .returning::<(Guid, Guid, Integer, Guid, Instant)>();
        let page: Vec<Row> = read!(self, conn => { statement.load(conn).await })?;
        let page = in_order(page, place);
        if page.is_empty() {
            self.customer().await?;
        }
        let mut choices = Choices::default();
        self.load_choices(&mut choices, page.iter().map(|row| ChoiceId(row.2)))
            .await?;
        let assignment = |(user, product, choice, batch, assigned_at): Row| {
            let plans = choices.get(ChoiceId(choice)).cloned();
            let plans = plans.ok_or_else(|| Error::Broken(format!("no plan choice {choice}")))?;
            let (user, product, batch) = (user.into(), product.into(), batch.into());
            Ok(Assignment {
                user,
                product,
                plans,
                batch,
                assigned_at,
            })
        };
        page.into_iter().map(assignment).collect()
    }

    /// Counts the assignments of the customer, only those of a user and of a product, if given.
    pub async fn count_assignments(&self, filter: AssignmentFilter) -> Result<i64, Error> {
        let statement = filter.met(portable("SELECT count(*)"), self.customer);
        read!(self, conn => { statement.returning::<BigInt>().get_result(conn).await })
    }

    /// The choices of these numbers.
    pub async fn choices(
        &self,
        wanted: impl IntoIterator<Item = ChoiceId>,
    ) -> Result<Choices, Error> {
        let mut choices = Choices::default();
        self.load_choices(&mut choices, wanted.into_iter()).await?;
        Ok(choices)
    }

    /// Adds the choices of these numbers that `choices` does not know.
    pub(super) async fn load_choices(
        &self,
        choices: &mut Choices,
        wanted: impl Iterator<Item = ChoiceId>,
    ) -> Result<(), Error> {
        let missing: HashSet<i32> = wanted
            .filter(|id| choices.get(*id).is_none())
            .map(|id| id.0)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<i32> = missing.into_iter().collect();
        let rows: Vec<(i32, bool, Vec<u8>)> = read!(self, conn => {
            let query = pc::table
                .filter(pc::customer_id.eq(Id::from(self.customer)))
                .filter(pc::choice_id.eq_any(&missing))
                .select((pc::choice_id, pc::only_named, pc::plan_ids));
            query.load(conn).await
        })?;
        for (id, only, plans) in rows {
            choices.insert(ChoiceId(id), decode_choice(only, &plans)?);
        }
        Ok(())
    }
}
