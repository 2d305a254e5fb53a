//! The stream of a batch's results: it reads what is stored and nothing else. The runner in this
//! process only hints when there is more to read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Error, Service};
use crate::domain::{BatchId, Scope, Tally};
use crate::store::{Batch, CustomerStore, Promise, Refusal, StoredResults};

/// Chunks read by one statement.
const CHUNKS_READ: i64 = 4;
/// Events that wait for a slow reader; then nothing more is read for it.
const EVENTS_BUFFERED: usize = 2;
/// How often a batch that runs in another process is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// A silent stream says this often that it is alive.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// A part of the stream.
#[derive(Debug)]
pub enum Event {
    /// The batch is durable.
    Started(Batch),
    /// Results, of which the first so many are not wanted.
    Results(StoredResults, usize),
    /// Still running.
    Progress(Batch),
    /// Every user has a result; a preview says what it promises.
    Summary(Batch, Tally, Option<Promise>),
}

/// Positions of the batches that run, or wait for their turn, in this process.
#[derive(Default)]
pub(super) struct Progress(Mutex<HashMap<BatchId, watch::Sender<i64>>>);

impl Progress {
    pub(super) fn begin(&self, batch: BatchId) -> watch::Sender<i64> {
        self.batches()
            .entry(batch)
            .or_insert_with(|| watch::channel(0).0)
            .clone()
    }

    pub(super) fn end(&self, batch: BatchId) {
        self.batches().remove(&batch);
    }

    pub(super) fn knows(&self, batch: BatchId) -> bool {
        self.batches().contains_key(&batch)
    }

    fn watch(&self, batch: BatchId) -> Option<watch::Receiver<i64>> {
        self.batches().get(&batch).map(watch::Sender::subscribe)
    }

    fn batches(&self) -> MutexGuard<'_, HashMap<BatchId, watch::Sender<i64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Events = mpsc::Sender<Result<Event, Error>>;

impl Service {
    /// Streams the results of a batch from `position` on: `Started`, results, and `Summary` last.
    /// The channel closes early if the receiver is dropped, or with an error.
    pub fn stream(
        &self,
        scope: Scope,
        batch: Batch,
        position: i64,
    ) -> mpsc::Receiver<Result<Event, Error>> {
        let (events, receiver) = mpsc::channel(EVENTS_BUFFERED);
        let (service, store) = (self.clone(), self.0.store.of(scope));
        self.0.tasks.spawn(async move {
            if let Err(error) = service.feed(&store, batch, position, &events).await {
                let _ = events.send(Err(error)).await;
            }
        });
        receiver
    }

    async fn feed(
        &self,
        store: &CustomerStore,
        batch: Batch,
        mut position: i64,
        events: &Events,
    ) -> Result<(), Error> {
        if batch.is_pruned() {
            return Err(Refusal::ResultsPruned(batch.batch_id).into());
        }
        let (id, end) = (batch.batch_id, batch.user_count);
        if events.send(Ok(Event::Started(batch))).await.is_err() {
            return Ok(());
        }
        let mut quiet_until = Instant::now() + PROGRESS_INTERVAL;
        while position < end {
            // Before the look: what is committed after it will show as a change.
            let hint = self.0.progress.watch(id);
            let chunks = store.batch_results(id, position, CHUNKS_READ).await?;
            if chunks.is_empty() {
                if !self.wait(hint, quiet_until, events).await? {
                    return Ok(());
                }
                if Instant::now() >= quiet_until {
                    let batch = store.batch(id).await?;
                    if events.send(Ok(Event::Progress(batch))).await.is_err() {
                        return Ok(());
                    }
                    quiet_until = Instant::now() + PROGRESS_INTERVAL;
                }
                continue;
            }
            for chunk in chunks {
                let skip = usize::try_from(position - chunk.first_position).unwrap_or(0);
                position = chunk.first_position + chunk.count;
                if events.send(Ok(Event::Results(chunk, skip))).await.is_err() {
                    return Ok(());
                }
            }
            quiet_until = Instant::now() + PROGRESS_INTERVAL;
        }
        let (batch, tally) = (store.batch(id).await?, store.batch_tally(id).await?);
        let _ = events.send(Ok(Event::Summary(batch, tally, None))).await;
        Ok(())
    }

    /// Waits for a reason to look again; false if nobody listens any more.
    async fn wait(
        &self,
        hint: Option<watch::Receiver<i64>>,
        quiet_until: Instant,
        events: &Events,
    ) -> Result<bool, Error> {
        let more = async {
            // A sender that is gone has ended or given up the batch; then the poll will tell.
            if let Some(mut hint) = hint
                && hint.changed().await.is_ok()
            {
                return;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        };
        tokio::select! {
            _ = timeout_at(Instant::now() + POLL_INTERVAL * 5, more) => Ok(true),
            () = sleep_until(quiet_until) => Ok(true),
            () = events.closed() => Ok(false),
            () = self.0.stopping.cancelled() => Err(Error::ShuttingDown),
        }
    }
}
