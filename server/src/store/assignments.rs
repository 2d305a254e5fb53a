//! Assignments: who holds what. They are changed by chunks of batches only.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Store;
use super::codec::decode_choice;
use super::error::Error;
use super::schema::{assignments as a, plan_choices as pc};
use super::types::{Id, Timestamp};
use crate::domain::{BatchId, ChoiceId, Choices, CustomerId, PlanChoice, ProductId, UserId};

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

type Row = (Id, Id, i32, Id, Timestamp);

impl Store {
    /// Returns up to `limit` assignments of the customer, or of one of its users, after `after`, by
    /// user and product.
    pub async fn assignments(
        &self,
        customer: CustomerId,
        user: Option<UserId>,
        after: Option<(UserId, ProductId)>,
        limit: i64,
    ) -> Result<Vec<Assignment>, Error> {
        let page: Vec<Row> = read!(self, conn => {
            let mut page = a::table
                .filter(a::customer_id.eq(Id::from(customer)))
                .select((a::user_id, a::product_id, a::choice_id, a::batch_id, a::assigned_at))
                .order((a::user_id, a::product_id))
                .limit(limit)
                .into_boxed();
            if let Some(user) = user {
                page = page.filter(a::user_id.eq(Id::from(user)));
            }
            if let Some((user, product)) = after {
                let (user, product) = (Id::from(user), Id::from(product));
                // The first condition lets the index start in the right place on both engines.
                page = page.filter(a::user_id.ge(user)).filter(
                    a::user_id.gt(user).or(a::user_id.eq(user).and(a::product_id.gt(product))),
                );
            }
            page.load(conn).await
        })?;
        if page.is_empty() {
            self.customer(customer).await?;
        }
        let mut choices = Choices::default();
        self.load_choices(
            customer,
            &mut choices,
            page.iter().map(|row| ChoiceId(row.2)),
        )
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

    /// Adds the choices of these numbers that `choices` does not know.
    pub(super) async fn load_choices(
        &self,
        customer: CustomerId,
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
                .filter(pc::customer_id.eq(Id::from(customer)))
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
