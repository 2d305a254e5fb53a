//! A preview of a batch: the rehearsal of it at one moment of the database, sent part by part while
//! it goes on. Nothing is written.

use std::time::Duration;

use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::accept::NewBatch;
use super::batches::{Batch, StoredResults};
use super::customers::ReadGuard;
use super::earlier::Earlier;
use super::error::{Error, Refusal, Unconfirmed, unavailable};
use super::lookup::Lookup;
use super::rehearse::{Rehearsal, Rehearse};
use super::roll::Roll;
use super::schema::{customers as c, installation as i};
use super::snapshot::ReadSnapshot;
use super::types::Id;
use super::{CustomerStore, Db, customers, sqlite};
use crate::domain::{CustomerId, Digest, Tally};

/// How long a preview waits for its reader. The moment that it shows costs the database more the
/// longer it is kept.
const READER_WAIT_MAX: Duration = Duration::from_secs(20);

/// A part of a preview.
#[derive(Debug)]
pub enum Preview {
    /// The batch, with no user served.
    Started(Batch),
    /// Results.
    Results(StoredResults),
    /// The batch with all users served, its sums, and what it promises.
    Ended(Batch, Tally, Promise),
}

/// What a preview promises.
#[derive(Debug)]
pub struct Promise {
    /// The digest of what it showed.
    pub plan: Digest,
    /// What has to be confirmed before it can be done.
    pub unconfirmed: Option<Box<Unconfirmed>>,
}

/// The outcome of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Previewed {
    /// All was sent, nobody listens any more, or `stop` was cancelled.
    Done,
    /// Nothing was sent: the catalogue has another version than the rehearsal would use.
    CatalogueMoved,
}

impl CustomerStore {
    /// Previews a batch: sends what it would do, decided at one moment of the database.
    pub async fn preview_batch<T: From<Preview> + Send>(
        &self,
        new: &NewBatch,
        rehearse: &Rehearse,
        parts: &mpsc::Sender<T>,
        stop: &CancellationToken,
    ) -> Result<Previewed, Error> {
        let (customer, parts) = (self.customer, Parts { parts, stop });
        match &self.db {
            Db::Postgres(pool) => {
                let mut conn = pool.get().await.map_err(unavailable)?;
                let mut transaction = conn.build_transaction().read_only().repeatable_read();
                let preview = async |conn: &mut AsyncPgConnection| {
                    preview(conn, customer, new, rehearse, &parts).await
                };
                transaction.run(preview).await
            }
            Db::Sqlite(db) => {
                let mut conn = db.readers.get().await.map_err(unavailable)?;
                let conn: &mut sqlite::Connection = &mut conn;
                conn.transaction(async |conn| preview(conn, customer, new, rehearse, &parts).await)
                    .await
            }
        }
    }
}

async fn preview<T: From<Preview>>(
    conn: &mut (impl Lookup + Earlier + ReadGuard + ReadSnapshot + Versions),
    customer: CustomerId,
    new: &NewBatch,
    rehearse: &Rehearse,
    parts: &Parts<'_, T>,
) -> Result<Previewed, Error> {
    // The first statement fixes the moment.
    let version = conn.catalogue_version(customer).await?;
    if version != rehearse.catalogue_version {
        return Ok(Previewed::CatalogueMoved);
    }
    if let Some(refusal) = &new.unless_accepted {
        return Err(refusal.clone().into());
    }
    let guard = conn.guard(customer).await?;
    let mut roll = Roll::call(conn, customer, new).await?;
    let mut batch = Batch::preview(customer, new, roll.len());
    let mut listens = parts.send(Preview::Started(batch.clone())).await?;
    let mut rehearsal = Rehearsal::default();
    while listens && let Some((first_position, order)) = roll.next_named(conn).await? {
        let rehearsed = rehearsal.step(conn, customer, order, rehearse).await?;
        batch.count(&rehearsed.plan);
        let mut first_position = first_position;
        for (count, bytes) in rehearsed.results {
            let count = count as i64;
            let results = StoredResults {
                first_position,
                count,
                bytes,
            };
            listens = listens && parts.send(Preview::Results(results)).await?;
            first_position += count;
        }
    }
    let progress = rehearsal.progress();
    new.check(&rehearsal)?;
    batch.end(progress.stopped);
    let promise = Promise {
        plan: rehearsal.digest(),
        unconfirmed: new.unconfirmed(guard, rehearsal.losses()),
    };
    let ended = Preview::Ended(batch, progress.tally.clone(), promise);
    if listens {
        parts.send(ended).await?;
    }
    Ok(Previewed::Done)
}

/// Where the parts go.
struct Parts<'a, T> {
    parts: &'a mpsc::Sender<T>,
    stop: &'a CancellationToken,
}

impl<T: From<Preview>> Parts<'_, T> {
    /// False if nobody listens any more, or nothing more is to be said.
    async fn send(&self, part: Preview) -> Result<bool, Error> {
        tokio::select! {
            sent = timeout(READER_WAIT_MAX, self.parts.send(part.into())) => match sent {
                Ok(sent) => Ok(sent.is_ok()),
                Err(_) => Err(Refusal::ReaderTooSlow.into()),
            },
            () = self.stop.cancelled() => Ok(false),
        }
    }
}

/// Reads the version of the catalogue; refused if there is no such customer.
trait Versions {
    async fn catalogue_version(&mut self, customer: CustomerId) -> Result<i64, Error>;
}

macro_rules! versions {
    ($($conn:ty)*) => { $(
        impl Versions for $conn {
            async fn catalogue_version(&mut self, customer: CustomerId) -> Result<i64, Error> {
                let known: Option<i64> = c::table
                    .find(Id::from(customer))
                    .select(c::version)
                    .first(self)
                    .await
                    .optional()?;
                known.ok_or_else(|| customers::not_found(customer))?;
                let version = i::table.find(1).select(i::catalogue_version);
                Ok(version.first(self).await?)
            }
        }
    )* };
}

versions!(AsyncPgConnection sqlite::Connection);
