//! Acceptance of a batch: one transaction that makes it durable or refuses it without a trace.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Store;
use super::batches::{Batch, RUNNING};
use super::codec::encode_order;
use super::error::{Error, Refusal};
use super::lookup::{Resolved, resolve};
use super::schema::{batch_chunks as bc, batches as b, licenses as l};
use super::types::{Id, Timestamp};
use crate::domain::{
    BatchId, Change, CustomerId, Order, ProductId, RequestId, Turn, UserId, UserRef,
};

/// Users of the first chunk: few, for a quick first result.
const FIRST_CHUNK_USERS: usize = 64;
/// Users of every other chunk: more gain little and hold the customer longer.
const CHUNK_USERS: usize = 500;

/// A batch to accept.
#[derive(Debug)]
pub struct NewBatch {
    /// The customer.
    pub customer: CustomerId,
    /// The id that it gets if it is new.
    pub id: BatchId,
    /// The caller's name for the request.
    pub request: RequestId,
    /// Tells requests apart.
    pub request_hash: [u8; 32],
    /// The distinct changes.
    pub changes: Vec<Change>,
    /// The users in the order of the request, each with the number of its change.
    pub users: Vec<(UserRef, u32)>,
    /// Refuses the request, unless it was accepted before.
    pub unless_accepted: Option<Refusal>,
    /// Now.
    pub now: Timestamp,
    /// Until when the accepting server works on it without a sign of life.
    pub lease_expires_at: Timestamp,
}

/// The outcome of an acceptance.
#[derive(Debug)]
pub enum Accepted {
    /// Accepted now; to be worked on under fence 1.
    New(Batch),
    /// Accepted before, for the same request.
    Before(Batch),
}

impl Store {
    /// Accepts a batch, or finds the one that was accepted for the same request before.
    pub async fn accept_batch(&self, new: &NewBatch) -> Result<Accepted, Error> {
        let _turn = self.queue(new.customer).await;
        let key = (Id::from(new.customer), Id::from(new.id));
        write_tx!(self, conn => {
            lock_customer!(conn, new.customer)?;
            let before: Option<(Batch, Vec<u8>)> = b::table
                .filter(b::customer_id.eq(key.0))
                .filter(b::request_id.eq(Id::from(new.request)))
                .select((Batch::as_select(), b::request_hash))
                .first(conn)
                .await
                .optional()?;
            if let Some((batch, hash)) = before {
                return if hash == new.request_hash {
                    Ok(Accepted::Before(batch))
                } else {
                    Err(Refusal::RequestIdReused.into())
                };
            }
            if let Some(refusal) = &new.unless_accepted {
                return Err(refusal.clone().into());
            }
            let named = new.users.iter().map(|(user, _)| user);
            let resolved = resolve(conn, key.0, named).await?;
            let seats: Vec<(Id, i64, i64, i64)> = l::table
                .filter(l::customer_id.eq(key.0))
                .select((l::product_id, l::enabled, l::warning, l::assigned))
                .load(conn)
                .await?;
            let mut turns = resolved.turns(new)?;
            if has_ample_seats(new, &seats) {
                turns.sort_unstable_by_key(|turn| (turn.user, turn.index));
            }
            let row = (
                b::customer_id.eq(key.0),
                b::batch_id.eq(key.1),
                b::request_id.eq(Id::from(new.request)),
                b::request_hash.eq(new.request_hash.as_slice()),
                b::state.eq(RUNNING),
                b::user_count.eq(turns.len() as i64),
                b::next_position.eq(0),
                b::applied_count.eq(0),
                b::unchanged_count.eq(0),
                b::failed_count.eq(0),
                b::fence.eq(1),
                b::lease_expires_at.eq(new.lease_expires_at),
                b::created_at.eq(new.now),
            );
            let batch = diesel::insert_into(b::table)
                .values(row)
                .returning(Batch::as_returning())
                .get_result(conn)
                .await?;
            for (first, order) in chunks(turns, &new.changes) {
                let row = (
                    bc::customer_id.eq(key.0),
                    bc::batch_id.eq(key.1),
                    bc::first_position.eq(first),
                    bc::turns.eq(encode_order(&order)),
                );
                diesel::insert_into(bc::table).values(row).execute(conn).await?;
            }
            Ok(Accepted::New(batch))
        })
    }
}

impl Resolved {
    /// The turns in the order of the request; refused if two of them are the same user's.
    fn turns(mut self, new: &NewBatch) -> Result<Vec<Turn>, Error> {
        let mut turns = Vec::with_capacity(new.users.len());
        let mut places: HashMap<UserId, u32> = HashMap::with_capacity(new.users.len());
        for (index, (user, change)) in (0u32..).zip(&new.users) {
            let (user, name) = match user {
                UserRef::Id(id) => match self.by_id.get_mut(&Id::from(*id)) {
                    Some(name) => (Some(*id), std::mem::take(name)),
                    None => (None, id.to_string()),
                },
                UserRef::Name(name) => match self.by_key.get(name.key()) {
                    Some((id, stored)) => (Some((*id).into()), stored.clone()),
                    None => (None, name.as_str().to_owned()),
                },
            };
            if let Some(first) = user.and_then(|user| places.insert(user, index)) {
                return Err(Refusal::DuplicateUser {
                    first,
                    second: index,
                }
                .into());
            }
            turns.push(Turn {
                index,
                user,
                name,
                change: *change,
            });
        }
        Ok(turns)
    }
}

/// True if every license has a free seat for every user that the batch would give one. Then the
/// order of service makes no difference, and by id is the fastest.
fn has_ample_seats(new: &NewBatch, seats: &[(Id, i64, i64, i64)]) -> bool {
    let mut uses = vec![0i64; new.changes.len()];
    for (_, change) in &new.users {
        uses[*change as usize] += 1;
    }
    let mut wanted: BTreeMap<ProductId, i64> = BTreeMap::new();
    for (change, uses) in new.changes.iter().zip(uses) {
        for assign in &change.assign {
            *wanted.entry(assign.product).or_default() += uses;
        }
    }
    let available: HashMap<Id, i64> = seats
        .iter()
        .map(|(product, enabled, warning, assigned)| (*product, enabled + warning - assigned))
        .collect();
    wanted.iter().all(|(product, wanted)| {
        available
            .get(&Id::from(*product))
            .is_some_and(|available| available >= wanted)
    })
}

/// Cuts the turns into chunks, each with the changes that it names.
fn chunks(turns: Vec<Turn>, changes: &[Change]) -> impl Iterator<Item = (i64, Order)> + '_ {
    let mut turns = turns.into_iter().peekable();
    let mut first = 0i64;
    std::iter::from_fn(move || {
        turns.peek()?;
        let size = if first == 0 {
            FIRST_CHUNK_USERS
        } else {
            CHUNK_USERS
        };
        let mut order = Order::default();
        let mut places: HashMap<u32, u32> = HashMap::new();
        for mut turn in turns.by_ref().take(size) {
            turn.change = *places.entry(turn.change).or_insert_with(|| {
                order.changes.push(changes[turn.change as usize].clone());
                order.changes.len() as u32 - 1
            });
            order.turns.push(turn);
        }
        let position = first;
        first += order.turns.len() as i64;
        Some((position, order))
    })
}
