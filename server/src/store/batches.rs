//! Batches: what is asked about them, and who works on them. They are accepted in `accept.rs` and
//! worked on in `chunk.rs`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::CustomerStore;
use super::accept::NewBatch;
use super::codec::{decode_order, decode_tally};
use super::error::{Error, Refusal};
use super::portable::{in_order, portable};
use super::schema::{batch_chunks as bc, batch_results as br, batches as b};
use super::types::{Id, Timestamp};
use crate::domain::{
    BatchId, CustomerId, Digest, Disposition, Order, Place, Plan, RequestId, Stop, Tally, Terms,
};

pub(super) const RUNNING: i16 = 1;
pub(super) const ENDED: i16 = 2;

/// The results are there.
pub(super) const KEPT: i16 = 1;
/// The results count as gone; some are still to be deleted.
pub(super) const BEING_PRUNED: i16 = 2;
/// The results are gone.
pub(super) const PRUNED: i16 = 3;

const BEST_EFFORT: i64 = 0;
const ATOMIC: i64 = -1;

/// Terms as a number: 0 is best effort, -1 atomic, and n stops after n failures.
pub(super) fn encode_terms(terms: Terms) -> i64 {
    match terms {
        Terms::BestEffort => BEST_EFFORT,
        Terms::StopAfter(failures) => failures.into(),
        Terms::Atomic => ATOMIC,
    }
}

fn decode_terms(stored: i64) -> Terms {
    match stored {
        BEST_EFFORT => Terms::BestEffort,
        ..BEST_EFFORT => Terms::Atomic,
        failures => Terms::StopAfter(u32::try_from(failures).unwrap_or(u32::MAX)),
    }
}

const STOPS: [(i16, Stop); 5] = [
    (1, Stop::Failures),
    (2, Stop::PlanStale),
    (3, Stop::RolledBack),
    (4, Stop::Cancelled),
    (5, Stop::AccessLost),
];

pub(super) fn encode_stop(stop: Option<Stop>) -> i16 {
    let known = STOPS.iter().find(|(_, known)| Some(*known) == stop);
    known.map_or(0, |(number, _)| *number)
}

pub(super) fn decode_stop(stored: i16) -> Option<Stop> {
    let known = STOPS.iter().find(|(number, _)| *number == stored);
    known.map(|(_, stop)| *stop)
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::Broken(format!("a stored batch is damaged: {error}"))
}

pub(super) fn not_found(id: BatchId) -> Error {
    Refusal::NotFound {
        resource: "batch",
        id: id.to_string(),
    }
    .into()
}

/// What a batch does when seats are short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// Gives out what there is, in order.
    #[default]
    FillInOrder,
    /// Is not accepted.
    RefuseIfShort,
}

pub(super) fn encode_capacity(capacity: Capacity) -> i16 {
    match capacity {
        Capacity::FillInOrder => 1,
        Capacity::RefuseIfShort => 2,
    }
}

/// A batch as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = b)]
pub struct Batch {
    /// The customer.
    #[diesel(deserialize_as = Id)]
    pub customer_id: CustomerId,
    /// Its id.
    #[diesel(deserialize_as = Id)]
    pub batch_id: BatchId,
    /// The request that it was accepted for.
    #[diesel(deserialize_as = Id)]
    pub request_id: RequestId,
    state: i16,
    /// Users in it.
    pub user_count: i64,
    /// Users with a result.
    pub next_position: i64,
    /// Users whose licenses changed.
    pub applied_count: i64,
    /// Users for whom everything was so already.
    pub unchanged_count: i64,
    /// Users who were refused.
    pub failed_count: i64,
    /// Users for whom nothing was tried.
    pub skipped_count: i64,
    terms: i64,
    capacity: i16,
    stopped: i16,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When the last result was made.
    pub ended_at: Option<Timestamp>,
    reverts_batch_id: Option<Id>,
    reverted_by_batch_id: Option<Id>,
    retries_batch_id: Option<Id>,
    retried_by_batch_id: Option<Id>,
    results: i16,
}

impl Batch {
    /// A batch that is not there.
    pub(super) fn preview(customer: CustomerId, new: &NewBatch, users: usize) -> Self {
        Self {
            customer_id: customer,
            batch_id: BatchId(Uuid::nil()),
            request_id: new.request,
            state: RUNNING,
            user_count: users as i64,
            next_position: 0,
            applied_count: 0,
            unchanged_count: 0,
            failed_count: 0,
            skipped_count: 0,
            terms: encode_terms(new.terms),
            capacity: encode_capacity(new.capacity),
            stopped: 0,
            created_at: new.now,
            ended_at: None,
            reverts_batch_id: new.users.reverts().map(Id::from),
            reverted_by_batch_id: None,
            retries_batch_id: new.users.retries().map(Id::from),
            retried_by_batch_id: None,
            results: KEPT,
        }
    }

    /// Counts what a chunk of a preview comes to.
    pub(super) fn count(&mut self, plan: &Plan) {
        let count = |disposition| i64::from(plan.count(disposition));
        self.next_position += plan.outcomes.len() as i64;
        self.applied_count += count(Disposition::Applied);
        self.unchanged_count += count(Disposition::Unchanged);
        self.failed_count += count(Disposition::Failed);
        self.skipped_count += count(Disposition::Skipped);
    }

    /// Ends a preview.
    pub(super) fn end(&mut self, stopped: Option<Stop>) {
        self.state = ENDED;
        self.stopped = encode_stop(stopped);
        self.ended_at = Some(self.created_at);
    }

    /// True if this is a preview of a batch.
    pub fn is_preview(&self) -> bool {
        self.batch_id.0.is_nil()
    }

    /// True if every user has a result.
    pub fn has_ended(&self) -> bool {
        self.state == ENDED
    }

    /// How its users are judged.
    pub fn terms(&self) -> Terms {
        decode_terms(self.terms)
    }

    /// What it does when seats are short.
    pub fn capacity(&self) -> Capacity {
        match self.capacity {
            2 => Capacity::RefuseIfShort,
            _ => Capacity::FillInOrder,
        }
    }

    /// The batch that this one takes back.
    pub fn reverts(&self) -> Option<BatchId> {
        self.reverts_batch_id.map(BatchId::from)
    }

    /// The newest batch that takes this one back.
    pub fn reverted_by(&self) -> Option<BatchId> {
        self.reverted_by_batch_id.map(BatchId::from)
    }

    /// The batch that this one tries again.
    pub fn retries(&self) -> Option<BatchId> {
        self.retries_batch_id.map(BatchId::from)
    }

    /// The newest batch that tries this one again.
    pub fn retried_by(&self) -> Option<BatchId> {
        self.retried_by_batch_id.map(BatchId::from)
    }

    /// True if its results were kept as long as they are, and are gone.
    pub fn is_pruned(&self) -> bool {
        self.results != KEPT
    }

    /// Why the rest was skipped.
    pub fn stopped(&self) -> Option<Stop> {
        decode_stop(self.stopped)
    }
}

/// Stored results of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResults {
    /// Position of the first one in service order.
    pub first_position: i64,
    /// How many there are.
    pub count: i64,
    /// The results as the decision encoded them.
    pub bytes: Vec<u8>,
}

impl CustomerStore {
    /// Returns a batch.
    pub async fn batch(&self, id: BatchId) -> Result<Batch, Error> {
        let found: Option<Batch> = read!(self, conn => {
            let key = (Id::from(self.customer), Id::from(id));
            b::table.find(key).select(Batch::as_select()).first(conn).await.optional()
        })?;
        let Some(found) = found else {
            self.customer().await?;
            return Err(not_found(id));
        };
        Ok(found)
    }

    /// Returns up to `limit` batches at a place, the newest first; only those that have ended, or
    /// that run, if said so.
    pub async fn batches(
        &self,
        ended: Option<bool>,
        place: &Place<BatchId>,
        limit: i64,
    ) -> Result<Vec<Batch>, Error> {
        let page: Vec<Batch> = read!(self, conn => {
            let mut page = b::table
                .filter(b::customer_id.eq(Id::from(self.customer)))
                .select(Batch::as_select())
                .limit(limit)
                .into_boxed();
            // Said in the text, so that the index of those that run is seen to serve.
            match ended {
                Some(true) => page = page.filter(sql::<Bool>("state = 2")),
                Some(false) => page = page.filter(sql::<Bool>("state = 1")),
                None => {}
            }
            page = match place {
                Place::First => page.order(b::batch_id.desc()),
                Place::After(id) => {
                    page.filter(b::batch_id.lt(Id::from(*id))).order(b::batch_id.desc())
                }
                Place::Before(id) => {
                    page.filter(b::batch_id.gt(Id::from(*id))).order(b::batch_id.asc())
                }
                Place::Last => page.order(b::batch_id.asc()),
            };
            page.load(conn).await
        })?;
        if page.is_empty() {
            self.customer().await?;
        }
        Ok(in_order(page, place))
    }

    /// Counts the batches, only those that have ended, or that run, if said so.
    pub async fn count_batches(&self, ended: Option<bool>) -> Result<i64, Error> {
        let statement =
            portable("SELECT count(*) FROM batches WHERE customer_id = ").id(self.customer);
        let statement = match ended {
            Some(true) => statement.sql(" AND state = 2"),
            Some(false) => statement.sql(" AND state = 1"),
            None => statement,
        };
        read!(self, conn => { statement.returning::<BigInt>().get_result(conn).await })
    }

    /// Returns up to `limit` chunks of results, from the one that holds `position` on. Refused if they
    /// were pruned.
    pub async fn batch_results(
        &self,
        id: BatchId,
        position: i64,
        limit: i64,
    ) -> Result<Vec<StoredResults>, Error> {
        type Row = (i64, i64, Vec<u8>);
        let (rows, kept) = read!(self, conn => {
            let mine = br::table
                .filter(br::customer_id.eq(Id::from(self.customer)))
                .filter(br::batch_id.eq(Id::from(id)));
            let start: Option<i64> = mine
                .filter(br::first_position.le(position))
                .order(br::first_position.desc())
                .select(br::first_position)
                .first(conn)
                .await
                .optional()?;
            let rows: Vec<Row> = mine
                .filter(br::first_position.ge(start.unwrap_or(position)))
                .order(br::first_position)
                .limit(limit)
                .select((br::first_position, br::result_count, br::results))
                .load(conn)
                .await?;
            // After the rows: none is deleted before the batch says so.
            let batch = b::table.find((Id::from(self.customer), Id::from(id))).select(b::results);
            let kept: Option<i16> = batch.first(conn).await.optional()?;
            Ok::<_, Error>((rows, kept))
        })?;
        if kept.is_some_and(|results| results != KEPT) {
            return Err(Refusal::ResultsPruned(id).into());
        }
        let results = |(first_position, count, bytes): Row| StoredResults {
            first_position,
            count,
            bytes,
        };
        let reaches = |results: &StoredResults| results.first_position + results.count > position;
        Ok(rows.into_iter().map(results).filter(reaches).collect())
    }

    /// Returns the sums of a batch up to now.
    pub async fn batch_tally(&self, id: BatchId) -> Result<Tally, Error> {
        let bytes: Vec<u8> = read!(self, conn => {
            let key = (Id::from(self.customer), Id::from(id));
            b::table.find(key).select(b::tally).first(conn).await
        })?;
        decode_tally(&bytes)
    }

    /// Returns the turns of the chunk that begins at `position`, and what was promised about them.
    pub async fn batch_chunk(
        &self,
        id: BatchId,
        position: i64,
    ) -> Result<(Order, Option<Digest>), Error> {
        let (turns, digest): (Vec<u8>, Option<Vec<u8>>) = read!(self, conn => {
            let key = (Id::from(self.customer), Id::from(id), position);
            bc::table.find(key).select((bc::turns, bc::digest)).first(conn).await
        })?;
        let digest = digest.map(|digest| digest.try_into().map(Digest));
        let digest = digest.transpose().map_err(|_| damaged("digest"))?;
        Ok((decode_order(&turns)?, digest))
    }

    /// Takes a batch over if it is still abandoned, and gives the fence under which to work on it.
    /// Whoever worked on it before can no longer write to it. A chunk that is being written comes
    /// first, and is a sign of life.
    pub async fn claim_batch(
        &self,
        id: BatchId,
        now: Timestamp,
        lease_expires_at: Timestamp,
    ) -> Result<Option<i64>, Error> {
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, self.customer)?;
            let abandoned = b::table
                .find((Id::from(self.customer), Id::from(id)))
                .filter(b::state.eq(RUNNING))
                .filter(b::lease_expires_at.lt(now));
            let claimed = diesel::update(abandoned)
                .set((b::fence.eq(b::fence + 1), b::lease_expires_at.eq(lease_expires_at)))
                .returning(b::fence)
                .get_result(conn)
                .await;
            Ok(claimed.optional()?)
        })
    }

    /// Hands a batch back, so that it can be claimed at once.
    pub async fn release_batch(
        &self,
        id: BatchId,
        fence: i64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, self.customer)?;
            let mine = b::table.find((Id::from(self.customer), Id::from(id))).filter(b::fence.eq(fence));
            diesel::update(mine).set(b::lease_expires_at.eq(now)).execute(conn).await?;
            Ok(())
        })
    }
}
