//! Retention: results of batches and the journal go when they are old enough, the oldest first.
//!
//! What goes is marked first, in a transaction that all readers see: from then on it counts as gone,
//! whether its rows are there or not. The rows follow in steps, each a short transaction of its own, in
//! which as much is deleted as one chunk of a batch writes. Whoever comes after a crash, and any number
//! of servers at once, go on from what is still there.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::batches::{BEING_PRUNED, PRUNED};
use super::chain::Checkpoint;
use super::error::{Error, Refusal, expect_rows};
use super::journal::Journal;
use super::portable::portable;
use super::record::{Draft, Head, HeadRow};
use super::schema::{
    batch_chunks as bc, batch_results as br, batches as b, changes as ch, commits as k,
    installation as i, journal_starts as js,
};
use super::types::{Guid, Id, Instant, Timestamp};
use super::{CustomerStore, sqlite};
use crate::domain::{BatchId, CustomerId, Cut, INSTALLATION, Origin, Record, RecordKind};

/// Rows of results, and of users, that one step deletes.
pub(super) const STEP_CHUNKS: i64 = 16;
/// Commits that one step deletes.
pub(super) const STEP_COMMITS: i64 = 64;
/// Records that one step deletes. A commit goes as a whole, so one that has more goes alone.
pub(super) const STEP_RECORDS: i64 = 2_000;
/// How often the beginning of a journal is moved at most, in microseconds: each time leaves a record.
const MOVED_EVERY: i64 = 24 * 60 * 60 * 1_000_000;

/// Reads where a journal begins.
pub(super) trait ReadStart {
    /// The last commit of what was pruned; none if nothing was.
    async fn start(&mut self, chain: CustomerId) -> Result<Option<Checkpoint>, Error>;
}

macro_rules! read_start {
    ($($conn:ty)*) => { $(
        impl ReadStart for $conn {
            async fn start(&mut self, chain: CustomerId) -> Result<Option<Checkpoint>, Error> {
                let found: Option<HeadRow> = js::table
                    .find(Id::from(chain))
                    .select((js::position, js::hash, js::committed_at))
                    .first(self)
                    .await
                    .optional()?;
                found.map(Checkpoint::try_from).transpose()
            }
        }
    )* };
}

read_start!(AsyncPgConnection sqlite::Connection);

impl TryFrom<HeadRow> for Checkpoint {
    type Error = Error;

    fn try_from(row: HeadRow) -> Result<Self, Error> {
        let Head { seq, hash, at } = row.try_into()?;
        let position = seq;
        Ok(Self { position, hash, at })
    }
}

impl Checkpoint {
    /// Refuses what goes back to a time before the beginning of a journal.
    pub(super) fn pruned(&self) -> Error {
        let (position, at) = (self.position, self.at);
        Refusal::HistoryPruned { position, at }.into()
    }
}

/// As `lock_customer!`, for any chain.
macro_rules! lock_chain {
    ($conn:expr, $chain:expr) => {
        if $chain == INSTALLATION {
            let row = diesel::update(i::table.find(1)).set(i::change_seq.eq(i::change_seq));
            row.execute($conn).await.map(drop).map_err(Error::from)
        } else {
            lock_customer!($conn, $chain)
        }
    };
}

impl CustomerStore {
    /// Deletes some of the results of the oldest batch that ended before a time, and says of how many
    /// rows; none if there is no such batch any more. The batch itself stays: its request id is never
    /// free again.
    pub async fn prune_results(&self, ended_before: Timestamp) -> Result<Option<usize>, Error> {
        let Some(batch) = self.next_to_prune(ended_before).await? else {
            return Ok(None);
        };
        let key = (Id::from(self.customer), Id::from(batch));
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, self.customer)?;
            let results = br::customer_id.eq(key.0).and(br::batch_id.eq(key.1));
            let chunks = bc::customer_id.eq(key.0).and(bc::batch_id.eq(key.1));
            let rest = br::table.filter(results).order(br::first_position).offset(STEP_CHUNKS);
            let rest: Option<i64> =
                rest.select(br::first_position).first(conn).await.optional()?;
            let more = bc::table.filter(chunks).order(bc::first_position).offset(STEP_CHUNKS);
            let more: Option<i64> =
                more.select(bc::first_position).first(conn).await.optional()?;
            let end = rest.into_iter().chain(more).min();
            let state = if end.is_some() { BEING_PRUNED } else { PRUNED };
            let ended = b::table.find(key).filter(b::ended_at.lt(ended_before));
            let marked = diesel::update(ended).set(b::results.eq(state)).execute(conn).await?;
            expect_rows("batches", 1, marked)?;
            let end = end.unwrap_or(i64::MAX);
            let results = br::table.filter(results).filter(br::first_position.lt(end));
            let chunks = bc::table.filter(chunks).filter(bc::first_position.lt(end));
            Ok(Some(
                diesel::delete(results).execute(conn).await?
                    + diesel::delete(chunks).execute(conn).await?,
            ))
        })
    }

    /// The oldest batch that ended before a time and whose results are there.
    async fn next_to_prune(&self, ended_before: Timestamp) -> Result<Option<BatchId>, Error> {
        let oldest = portable("SELECT batch_id FROM batches")
            .per_engine("", " INDEXED BY batches_kept_idx")
            .sql(" WHERE results < 3 AND state = 2 AND customer_id = ")
            .id(self.customer)
            .sql(" AND created_at < ")
            .time(ended_before)
            .sql(" AND ended_at < ")
            .time(ended_before)
            .sql(" ORDER BY created_at, batch_id LIMIT 1")
            .returning::<Guid>();
        let found: Option<Id> = read!(self, conn => { oldest.get_result(conn).await.optional() })?;
        Ok(found.map(BatchId::from))
    }

    /// The last commit of what was pruned from a journal; none if nothing was.
    pub async fn start(&self) -> Result<Option<Checkpoint>, Error> {
        read!(self, conn => { conn.start(self.customer).await })
    }

    /// Moves the beginning of a journal to a time, at most once a day, and gives the last commit of
    /// what counts as gone from now on; none if there is nothing to move. What batches have done whose
    /// results are kept stays, and so does the last commit. What pruning itself has recorded is no
    /// reason to prune.
    pub async fn move_start(
        &self,
        before: Timestamp,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Option<Checkpoint>, Error> {
        let chain = self.customer;
        let customer = Id::from(chain);
        let Some(cut) = self.cut(before, now).await? else {
            return Ok(None);
        };
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_chain!(conn, chain)?;
            let start = conn.start(chain).await?;
            if start.is_some_and(|start| start.position >= cut.position) {
                return Ok(None); // another server was faster
            }
            let (position, hash, at) = (cut.position, cut.hash, cut.at.0);
            let row = (
                js::customer_id.eq(customer),
                js::position.eq(position),
                js::hash.eq(hash.as_slice()),
                js::committed_at.eq(cut.at),
                js::pruned_at.eq(now),
            );
            diesel::insert_into(js::table)
                .values(row)
                .on_conflict(js::customer_id)
                .do_update()
                .set(row)
                .execute(conn)
                .await?;
            let pruned = Record::JournalPruned(chain, Cut { position, at, hash });
            conn.record(Draft::new(chain, origin, now).record(&pruned)).await?;
            Ok(Some(cut))
        })
    }

    /// The last commit of what can go.
    async fn cut(&self, before: Timestamp, now: Timestamp) -> Result<Option<Checkpoint>, Error> {
        let customer = Id::from(self.customer);
        let oldest_kept = portable("SELECT created_at FROM batches")
            .per_engine("", " INDEXED BY batches_kept_idx")
            .sql(" WHERE results < 3 AND customer_id = ")
            .id(customer)
            .sql(" ORDER BY created_at, batch_id LIMIT 1")
            .returning::<Instant>();
        let head = self.checkpoint().await?;
        read_tx!(self, conn => {
            let moved_at: Option<Timestamp> = js::table
                .find(customer)
                .select(js::pruned_at)
                .first(conn)
                .await
                .optional()?;
            if moved_at.is_some_and(|moved_at| now.0 < moved_at.0.saturating_add(MOVED_EVERY)) {
                return Ok(None);
            }
            let start = conn.start(self.customer).await?.map_or(0, |start| start.position);
            // No commit of a batch is older than the batch.
            let kept: Option<Timestamp> = oldest_kept.get_result(conn).await.optional()?;
            let before = kept.map_or(before, |kept| kept.min(before));
            let cut: Option<HeadRow> = k::table
                .filter(k::customer_id.eq(customer))
                .filter(k::committed_at.lt(before))
                .filter(k::last_seq.gt(start))
                .filter(k::last_seq.lt(head.position))
                .order((k::committed_at.desc(), k::last_seq.desc()))
                .select((k::last_seq, k::hash, k::committed_at))
                .first(conn)
                .await
                .optional()?;
            let Some(cut) = cut.map(Checkpoint::try_from).transpose()? else {
                return Ok(None);
            };
            let of_others: Option<i64> = ch::table
                .filter(ch::customer_id.eq(customer))
                .filter(ch::seq.gt(start))
                .filter(ch::seq.le(cut.position))
                .filter(ch::kind.ne(RecordKind::JournalPruned as i16))
                .order(ch::seq)
                .select(ch::seq)
                .first(conn)
                .await
                .optional()?;
            Ok(of_others.map(|_| cut))
        })
    }

    /// Deletes the oldest commits of what lies before the beginning of a journal, with their records,
    /// and says how many records; none if nothing is left.
    pub async fn prune_journal(&self) -> Result<Option<usize>, Error> {
        let chain = self.customer;
        let customer = Id::from(chain);
        let gone: Vec<(i64, i64)> = read!(self, conn => {
            let Some(start) = conn.start(chain).await? else {
                return Ok(None);
            };
            k::table
                .filter(k::customer_id.eq(customer))
                .filter(k::last_seq.le(start.position))
                .order(k::last_seq)
                .limit(STEP_COMMITS)
                .select((k::first_seq, k::last_seq))
                .load(conn)
                .await
        })?;
        let [(first, end), ..] = gone[..] else {
            return Ok(None);
        };
        let ends = gone.iter().map(|(_, last)| *last);
        let fitting = ends.take_while(|last| last - first < STEP_RECORDS).last();
        let end = fitting.unwrap_or(end);
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_chain!(conn, chain)?;
            let records = ch::table.filter(ch::customer_id.eq(customer)).filter(ch::seq.le(end));
            let deleted = diesel::delete(records).execute(conn).await?;
            let commits = k::table.filter(k::customer_id.eq(customer)).filter(k::last_seq.le(end));
            diesel::delete(commits).execute(conn).await?;
            Ok(Some(deleted))
        })
    }
}
