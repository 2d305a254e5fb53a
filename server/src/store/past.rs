//! What a user held at some time: what it holds now, less what was done to it since.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, SmallInt};
use diesel_async::RunQueryDsl;

use super::CustomerStore;
use super::error::Error;
use super::history::{Order, Rows, Select, no_user};
use super::record::decode;
use super::retention::ReadStart;
use super::schema::{assignments as a, users as u};
use super::types::{Guid, Id, Timestamp};
use crate::domain::{ChoiceId, PlanChoice, ProductId, Record, UserId};

/// Records of a user that are read at once on the way back.
const WALK_RECORDS: i64 = 500;

/// What was so of a user at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserThen {
    /// The user.
    pub user: UserId,
    /// The last commit up to that time.
    pub position: i64,
    /// Whether the user existed, and if so, whether it was active.
    pub active: Option<bool>,
    /// What it held, by product, with the choice of plans.
    pub held: Vec<(ProductId, PlanChoice)>,
}

/// A user on the way back from now.
struct Walk {
    active: Option<bool>,
    held: BTreeMap<ProductId, ChoiceId>,
}

type ChangeRow = (Id, i64, i16, Id, Vec<u8>);
type ChangeColumns = (Guid, BigInt, SmallInt, Guid, Binary);

impl CustomerStore {
    /// What was so of a user when everything up to a time was committed, and nothing later: what is
    /// so now, less what was done since, walked back through the user's own records. Refused if some of
    /// them are no longer kept.
    pub async fn user_then(&self, user: UserId, at: Timestamp) -> Result<UserThen, Error> {
        let customer = self.customer;
        let position = self.position(Timestamp(at.0.saturating_add(1))).await?;
        let key = (Id::from(customer), Id::from(user));
        let (is_known, start, walk) = read_tx!(self, conn => {
            let now: Option<(bool, Option<Timestamp>)> = u::table
                .find(key)
                .select((u::active, u::deleted_at))
                .first(conn)
                .await
                .optional()?;
            let held: Vec<(Id, i32)> = a::table
                .filter(a::customer_id.eq(key.0).and(a::user_id.eq(key.1)))
                .select((a::product_id, a::choice_id))
                .load(conn)
                .await?;
            let held = held.into_iter().map(|(product, choice)| (product.into(), ChoiceId(choice)));
            let mut walk = Walk {
                active: now.and_then(|(active, deleted)| deleted.is_none().then_some(active)),
                held: held.collect(),
            };
            let mut end = i64::MAX;
            loop {
                let rows = Rows {
                    customer,
                    select: Select::Thing(key.1, -1),
                    range: position + 1..end,
                    order: Order::NewestFirst,
                    limit: WALK_RECORDS,
                };
                let rows = rows.statement().returning::<ChangeColumns>();
                let later: Vec<ChangeRow> = rows.load(conn).await?;
                for (_, _, kind, thing, details) in &later {
                    walk.undo(&decode(*kind, *thing, details)?);
                }
                match later.last() {
                    Some((_, seq, ..)) if later.len() as i64 == WALK_RECORDS => end = *seq,
                    _ => break,
                }
            }
            Ok((now.is_some(), conn.start(customer).await?, walk))
        })?;
        if !is_known {
            self.customer().await?;
            return Err(no_user(user));
        }
        let start = start.filter(|start| start.position > position);
        if let Some(start) = &start
            && at < start.at
        {
            return Err(start.pruned());
        }
        let choices = self.choices(walk.held.values().copied()).await?;
        let plans = |choice| {
            let plans = choices.get(choice).cloned();
            plans.ok_or_else(|| Error::Broken(format!("no plan choice {}", choice.0)))
        };
        let held = walk.held.iter();
        let held = held.map(|(product, choice)| Ok((*product, plans(*choice)?)));
        Ok(UserThen {
            user,
            position: start.map_or(position, |start| start.position),
            active: walk.active,
            held: held.collect::<Result<_, Error>>()?,
        })
    }
}

impl Walk {
    /// Takes one record back.
    fn undo(&mut self, record: &Record) {
        match record {
            Record::Assignments(_, edits) => {
                for edit in edits {
                    match edit.before {
                        Some(choice) => drop(self.held.insert(edit.product, choice)),
                        None => drop(self.held.remove(&edit.product)),
                    }
                }
            }
            Record::UserCreated(..) => self.active = None,
            Record::UserUpdated(_, _, [active, _]) | Record::UserDeleted(_, active) => {
                self.active = Some(*active);
            }
            _ => {}
        }
    }
}
