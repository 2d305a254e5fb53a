//! An earlier batch that a new one goes back to: what it did and to whom, read in the transaction that
//! accepts the new one. Everything is found by key, a few chunks at a time.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::accept::NewBatch;
use super::batches::{ENDED, KEPT, not_found};
use super::error::{Error, Refusal};
use super::schema::{batch_chunks as bc, batch_results as br, batches as b, changes as ch};
use super::sqlite;
use super::types::Id;
use crate::domain::{BatchId, CustomerId};

/// Chunks read by one statement.
const CHUNKS_READ: i64 = 16;

/// The changes of a chunk: the number of the first, and how many there are.
pub(super) type Range = (i64, i64);

/// A chunk's turns as stored, and a byte for each that says what became of it.
pub(super) type Turns = (Vec<u8>, Vec<u8>);

/// How many users of a batch were changed, refused and skipped.
pub(super) struct Ended {
    pub(super) applied: i64,
    pub(super) failed: i64,
    pub(super) skipped: i64,
}

/// A batch that tells another number of users than it counted is not gone back to.
pub(super) fn expect_users(batch: BatchId, expected: i64, found: usize) -> Result<(), Error> {
    if expected == found as i64 {
        return Ok(());
    }
    Err(Error::Broken(format!(
        "batch {batch}: {found} users found instead of {expected}"
    )))
}

/// Reads an earlier batch.
pub(super) trait Earlier {
    /// Refuses unless every user of the batch has a result, and these are kept.
    async fn ended(&mut self, customer: CustomerId, batch: BatchId) -> Result<Ended, Error>;

    /// The changes of some chunks from `position` on, each with the position after it; empty at the end.
    async fn ranges(
        &mut self,
        customer: CustomerId,
        batch: BatchId,
        position: i64,
    ) -> QueryResult<Vec<(i64, Range)>>;

    /// The users of a chunk's changes and what was done to them, in order.
    async fn edits(
        &mut self,
        customer: CustomerId,
        range: Range,
    ) -> QueryResult<Vec<(Id, Vec<u8>)>>;

    /// The turns of some chunks from `position` on, each with the position after it; empty at the end.
    async fn turns(
        &mut self,
        customer: CustomerId,
        batch: BatchId,
        position: i64,
    ) -> QueryResult<Vec<(i64, Turns)>>;

    /// Makes the batch that a new one goes back to name it.
    async fn link_back(&mut self, customer: CustomerId, new: &NewBatch) -> QueryResult<()>;
}

macro_rules! earlier {
    ($($conn:ty)*) => { $(
        impl Earlier for $conn {
            async fn ended(
                &mut self,
                customer: CustomerId,
                batch: BatchId,
            ) -> Result<Ended, Error> {
                let found: Option<(i16, i16, i64, i64, i64)> = b::table
                    .find((Id::from(customer), Id::from(batch)))
                    .select((
                        b::state,
                        b::results,
                        b::applied_count,
                        b::failed_count,
                        b::skipped_count,
                    ))
                    .first(self)
                    .await
                    .optional()?;
                match found {
                    None => Err(not_found(batch)),
                    Some((ENDED, KEPT, applied, failed, skipped)) => Ok(Ended {
                        applied,
                        failed,
                        skipped,
                    }),
                    Some((ENDED, ..)) => Err(Refusal::ResultsPruned(batch).into()),
                    Some(_) => Err(Refusal::BatchRunning(batch).into()),
                }
            }

            async fn ranges(
                &mut self,
                customer: CustomerId,
                batch: BatchId,
                position: i64,
            ) -> QueryResult<Vec<(i64, Range)>> {
                let rows: Vec<(i64, i64, i64, i64)> = br::table
                    .filter(br::customer_id.eq(Id::from(customer)))
                    .filter(br::batch_id.eq(Id::from(batch)))
                    .filter(br::first_position.ge(position))
                    .order(br::first_position)
                    .limit(CHUNKS_READ)
                    .select((br::first_position, br::result_count, br::first_seq, br::change_count))
                    .load(self)
                    .await?;
                let range = |(first, count, seq, changes)| (first + count, (seq, changes));
                Ok(rows.into_iter().map(range).collect())
            }

            async fn edits(
                &mut self,
                customer: CustomerId,
                (first, count): Range,
            ) -> QueryResult<Vec<(Id, Vec<u8>)>> {
                ch::table
                    .filter(ch::customer_id.eq(Id::from(customer)))
                    .filter(ch::seq.ge(first))
                    .filter(ch::seq.lt(first + count))
                    .order(ch::seq)
                    .select((ch::thing_id, ch::details))
                    .load(self)
                    .await
            }

            async fn turns(
                &mut self,
                customer: CustomerId,
                batch: BatchId,
                position: i64,
            ) -> QueryResult<Vec<(i64, Turns)>> {
                let same = br::customer_id
                    .eq(bc::customer_id)
                    .and(br::batch_id.eq(bc::batch_id))
                    .and(br::first_position.eq(bc::first_position));
                let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = bc::table
                    .inner_join(br::table.on(same))
                    .filter(bc::customer_id.eq(Id::from(customer)))
                    .filter(bc::batch_id.eq(Id::from(batch)))
                    .filter(bc::first_position.ge(position))
                    // Said of both, so that either can be walked first.
                    .filter(br::first_position.ge(position))
                    .order(bc::first_position)
                    .limit(CHUNKS_READ)
                    .select((bc::first_position, bc::turns, br::dispositions))
                    .load(self)
                    .await?;
                let turns = |(first, turns, dispositions): (i64, Vec<u8>, Vec<u8>)| {
                    (first + dispositions.len() as i64, (turns, dispositions))
                };
                Ok(rows.into_iter().map(turns).collect())
            }

            async fn link_back(&mut self, customer: CustomerId, new: &NewBatch) -> QueryResult<()> {
                let earlier = |batch| b::table.find((Id::from(customer), Id::from(batch)));
                let id = Some(Id::from(new.id));
                if let Some(reverted) = new.users.reverts() {
                    diesel::update(earlier(reverted))
                        .set(b::reverted_by_batch_id.eq(id))
                        .execute(self)
                        .await?;
                }
                if let Some(retried) = new.users.retries() {
                    diesel::update(earlier(retried))
                        .set(b::retried_by_batch_id.eq(id))
                        .execute(self)
                        .await?;
                }
                Ok(())
            }
        }
    )* };
}

earlier!(AsyncPgConnection sqlite::Connection);
