//! Acceptance of a batch: one transaction that makes it durable or refuses it without a trace.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::CustomerStore;
use super::batches::{Batch, Capacity, ENDED, KEPT, RUNNING, encode_capacity, encode_terms};
use super::codec::{encode_order, encode_tally};
use super::customers::ReadGuard;
use super::earlier::Earlier;
use super::error::{Error, Refusal, Unconfirmed};
use super::journal::Journal;
use super::record::Draft;
use super::rehearse::{Rehearsal, Rehearse};
use super::roll::{ReadSeats, Roll, Users};
use super::schema::{batch_chunks as bc, batches as b, installation as i};
use super::types::{Id, Timestamp};
use crate::domain::{
    BatchId, Change, Digest, Guard, Losses, Origin, Record, RequestId, Tally, Terms,
};

/// Users of an atomic batch: all are decided and written in one transaction.
pub const ATOMIC_USERS_MAX: usize = 10_000;

/// A batch to accept, or to preview.
#[derive(Debug)]
pub struct NewBatch {
    /// The id that it gets if it is new.
    pub id: BatchId,
    /// The caller's name for the request.
    pub request: RequestId,
    /// Who asked for it.
    pub origin: Origin,
    /// Tells requests apart.
    pub request_hash: [u8; 32],
    /// The distinct changes.
    pub changes: Vec<Change>,
    /// The users.
    pub users: Users,
    /// How they are judged.
    pub terms: Terms,
    /// What to do when seats are short.
    pub capacity: Capacity,
    /// What a preview has promised.
    pub promised: Option<Digest>,
    /// The digest of the losses that somebody has confirmed.
    pub confirmed: Option<[u8; 32]>,
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
    /// Nothing was done: the catalogue has another version than the rehearsal would use.
    CatalogueMoved,
}

impl NewBatch {
    /// True if what the batch would do must be known before it is accepted, whatever the guard says.
    pub fn needs_rehearsal(&self) -> bool {
        self.capacity == Capacity::RefuseIfShort || self.promised.is_some()
    }

    /// The batch that the request id was used for, if it was for the same request and can be shown.
    fn accepted_before(&self, batch: Batch, hash: &[u8]) -> Result<Accepted, Refusal> {
        if hash != self.request_hash {
            return Err(Refusal::RequestIdReused);
        }
        if batch.is_pruned() {
            return Err(Refusal::ResultsPruned(batch.batch_id));
        }
        Ok(Accepted::Before(batch))
    }

    /// What of a rehearsal the guard wants confirmed, unless it is.
    pub(super) fn unconfirmed(&self, guard: Guard, losses: &Losses) -> Option<Box<Unconfirmed>> {
        let is_confirmed = || self.confirmed == Some(losses.digest());
        (guard.is_exceeded(losses) && !is_confirmed()).then(|| {
            Box::new(Unconfirmed {
                losses: losses.clone(),
                guard,
            })
        })
    }

    /// Refuses what the rehearsal does not bear out.
    pub(super) fn check(&self, rehearsal: &Rehearsal) -> Result<(), Refusal> {
        let digest = rehearsal.digest();
        if self.promised.is_some_and(|promised| promised != digest) {
            return Err(Refusal::PlanStale);
        }
        let short = rehearsal.shortages();
        if self.capacity == Capacity::RefuseIfShort && !short.is_empty() {
            return Err(Refusal::SeatsShort(short));
        }
        Ok(())
    }
}

/// The row of a new batch.
macro_rules! batch_row {
    ($customer:expr, $new:expr, $users:expr) => {
        (
            b::customer_id.eq(Id::from($customer)),
            b::batch_id.eq(Id::from($new.id)),
            b::request_id.eq(Id::from($new.request)),
            b::request_hash.eq($new.request_hash.as_slice()),
            b::state.eq(if $users == 0 { ENDED } else { RUNNING }),
            b::user_count.eq($users as i64),
            b::next_position.eq(0),
            b::applied_count.eq(0),
            b::unchanged_count.eq(0),
            b::failed_count.eq(0),
            b::skipped_count.eq(0),
            b::terms.eq(encode_terms($new.terms)),
            b::capacity.eq(encode_capacity($new.capacity)),
            b::stopped.eq(0),
            b::tally.eq(encode_tally(&Tally::default())),
            b::fence.eq(1),
            b::lease_expires_at.eq($new.lease_expires_at),
            b::created_at.eq($new.now),
            b::ended_at.eq(($users == 0).then_some($new.now)),
            b::reverts_batch_id.eq($new.users.reverts().map(Id::from)),
            b::retries_batch_id.eq($new.users.retries().map(Id::from)),
            b::results.eq(KEPT),
        )
    };
}

impl CustomerStore {
    /// Accepts a batch, or finds the one that was accepted for the same request before, however long
    /// ago. `rehearse` is asked only if the batch needs it.
    pub async fn accept_batch(
        &self,
        new: &NewBatch,
        rehearse: &Rehearse,
    ) -> Result<Accepted, Error> {
        let customer = self.customer;
        let key = (Id::from(customer), Id::from(new.id));
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let before: Option<(Batch, Vec<u8>)> = b::table
                .filter(b::customer_id.eq(key.0))
                .filter(b::request_id.eq(Id::from(new.request)))
                .select((Batch::as_select(), b::request_hash))
                .first(conn)
                .await
                .optional()?;
            if let Some((batch, hash)) = before {
                return Ok(new.accepted_before(batch, &hash)?);
            }
            if let Some(refusal) = &new.unless_accepted {
                return Err(refusal.clone().into());
            }
            let version: i64 = i::table.find(1).select(i::catalogue_version).first(conn).await?;
            let guard = conn.guard(customer).await?;
            let mut roll = Roll::call(conn, customer, new).await?;
            let needs_rehearsal = new.needs_rehearsal()
                || guard.may_be_exceeded(roll.changes(), roll.len(), &conn.seats(key.0).await?);
            if needs_rehearsal && version != rehearse.catalogue_version {
                return Ok(Accepted::CatalogueMoved);
            }
            let (mut rehearsal, mut confirmed) = (Rehearsal::default(), 0);
            if needs_rehearsal {
                for (_, order) in roll.orders() {
                    rehearsal.step(conn, customer, order, rehearse).await?;
                }
                new.check(&rehearsal)?;
                if let Some(unconfirmed) = new.unconfirmed(guard, rehearsal.losses()) {
                    return Err(Refusal::Unconfirmed(unconfirmed).into());
                }
                if guard.is_exceeded(rehearsal.losses()) {
                    confirmed = rehearsal.losses().users.cast_signed();
                }
            }
            let batch = diesel::insert_into(b::table)
                .values(batch_row!(customer, new, roll.len()))
                .returning(Batch::as_returning())
                .get_result(conn)
                .await?;
            conn.link_back(customer, new).await?;
            let mut digests = rehearsal.digests().into_iter();
            while let Some((first, order)) = roll.next_named(conn).await? {
                let digest = digests.next().filter(|_| new.promised.is_some());
                let row = (
                    bc::customer_id.eq(key.0),
                    bc::batch_id.eq(key.1),
                    bc::first_position.eq(first),
                    bc::turns.eq(encode_order(&order)),
                    bc::digest.eq(digest.map(|digest| digest.0.to_vec())),
                );
                diesel::insert_into(bc::table).values(row).execute(conn).await?;
            }
            let users = [batch.user_count, confirmed];
            let accepted = Record::BatchAccepted(new.id, users, new.request_hash);
            let draft = Draft::new(customer, &new.origin, new.now).of_batch(new.id);
            // A batch of nobody has nothing left to do.
            let ended = batch.has_ended().then_some(Record::BatchEnded(new.id, [0; 4], None));
            conn.record(draft.record(&accepted).records(ended)).await?;
            Ok(Accepted::New(batch))
        })
    }
}
