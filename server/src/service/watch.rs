//! Watches: the records of a journal as they are committed, in its order, from a place on.
//!
//! A watch reads what is stored and keeps nothing, so that whoever knows the place that it has got to
//! can go on from there at any time and on any server.
//!
//! What is new is found by polling: for each journal that is watched here, one task reads its end twice
//! a second, one row by its key, however many watch it. That is alike on both engines and with any
//! number of servers. PostgreSQL's NOTIFY would save a part of that second at a price that is not worth it:
//! commits that notify wait for each other across all customers, every server would need a connection to
//! listen on, and polling would still be needed for what is lost when that breaks.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::history::named;
use super::{Error, Service};
use crate::domain::{Choices, RecordKind, Scope};
use crate::store::{CustomerStore, Recorded, Refusal};

/// How often the end of a journal is read while somebody watches it.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// A silent watch says this often that it is alive.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
/// Records in one part.
const PART_RECORDS: i64 = 500;
/// Places that are looked through for one part, where most records are of kinds that nobody asked for.
const PART_PLACES: i64 = 10_000;
/// Parts that wait for a slow reader; then nothing more is read for it.
const PARTS_BUFFERED: usize = 2;
/// How long a part waits for room among them. Then the reader is given up, and can come back.
const READER_WAIT_MAX: Duration = Duration::from_secs(10);

/// What to watch.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Records of which kinds; none means all.
    pub kinds: Vec<RecordKind>,
    /// The position after which to begin; none means now.
    pub after: Option<i64>,
}

/// A part of a watch.
#[derive(Debug)]
pub struct Watched {
    /// The records, the oldest first. There are none in a part that only says that the watch is alive.
    pub records: Vec<Recorded>,
    /// The choices that they name.
    pub choices: Choices,
    /// The position up to which everything was told.
    pub position: i64,
}

type Parts = mpsc::Sender<Result<Watched, Error>>;

/// The ends of the journals that are watched in this process.
#[derive(Default)]
pub(super) struct Ends(Mutex<HashMap<Scope, watch::Receiver<i64>>>);

impl Ends {
    fn lock(&self) -> MutexGuard<'_, HashMap<Scope, watch::Receiver<i64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Watches a journal. The first part comes at once, and the channel closes if the receiver is
    /// dropped, or with an error.
    pub async fn watch(
        &self,
        scope: Scope,
        watch: Watch,
    ) -> Result<mpsc::Receiver<Result<Watched, Error>>, Error> {
        let Watch { kinds, after } = watch;
        let start = self.call_in(scope, |store| async move { store.watch_start(after).await });
        let position = start.await?;
        let (parts, receiver) = mpsc::channel(PARTS_BUFFERED + 1);
        // Kept for the reason of the end, which has to be told even if nobody makes room for it.
        let end = parts.clone().try_reserve_owned();
        let end = end.expect("nothing was sent yet");
        let watcher = Watcher {
            service: self.clone(),
            scope,
            store: self.0.store.of(scope),
            kinds,
            position,
            parts,
        };
        self.0.tasks.spawn(async move {
            if let Err(error) = watcher.run().await {
                end.send(Err(error));
            }
        });
        Ok(receiver)
    }

    /// The end of a journal, followed from here on; closed when it could not be read.
    fn follow_end(&self, scope: Scope) -> watch::Receiver<i64> {
        let mut ends = self.0.ends.lock();
        if let Some(end) = ends.get(&scope)
            && end.has_changed().is_ok()
        {
            return end.clone();
        }
        let (sender, end) = watch::channel(0);
        ends.insert(scope, end.clone());
        let service = self.clone();
        self.0.tasks.spawn(async move {
            service.poll_end(scope, &sender).await;
        });
        end
    }

    /// Reads the end of a journal again and again, as long as somebody follows it.
    async fn poll_end(&self, scope: Scope, end: &watch::Sender<i64>) {
        let store = self.0.store.of(scope);
        // An error is told to each watch when it looks for itself.
        while let Ok(head) = store.checkpoint().await {
            end.send_if_modified(|end| std::mem::replace(end, head.position) != head.position);
            tokio::select! {
                () = sleep(POLL_INTERVAL) => {}
                () = self.0.stopping.cancelled() => break,
            }
            let mut ends = self.0.ends.lock();
            // The one in the table follows nothing.
            if end.receiver_count() == 1 {
                ends.remove(&scope);
                return;
            }
        }
        self.0.ends.lock().remove(&scope);
    }
}

struct Watcher {
    service: Service,
    scope: Scope,
    store: CustomerStore,
    kinds: Vec<RecordKind>,
    /// The position up to which everything was read.
    position: i64,
    parts: Parts,
}

impl Watcher {
    /// Watches until nobody listens any more.
    async fn run(mut self) -> Result<(), Error> {
        let service = self.service.clone();
        let stopping = &service.0.stopping;
        let mut journal = service.follow_end(self.scope);
        let mut quiet_until = Instant::now();
        while !stopping.is_cancelled() {
            let end = *journal.borrow_and_update();
            let records = self.read(end).await?;
            if !records.is_empty() || Instant::now() >= quiet_until {
                if !self.send(records).await? {
                    return Ok(());
                }
                quiet_until = Instant::now() + PROGRESS_INTERVAL;
            }
            if self.position < end {
                continue;
            }
            tokio::select! {
                moved = journal.changed() => if moved.is_err() {
                    self.store.checkpoint().await?;
                    journal = service.follow_end(self.scope);
                },
                () = sleep_until(quiet_until) => {}
                () = self.parts.closed() => return Ok(()),
                () = stopping.cancelled() => {}
            }
        }
        Err(Error::ShuttingDown)
    }

    /// The next records that were asked for, up to the end of the journal at most.
    async fn read(&mut self, end: i64) -> Result<Vec<Recorded>, Error> {
        let end = end.min(self.position + PART_PLACES);
        if end <= self.position {
            return Ok(Vec::new());
        }
        let places = self.position + 1..end + 1;
        let records = self.store.changes(&self.kinds, places, PART_RECORDS);
        let records = records.await?;
        let is_full = records.len() as i64 == PART_RECORDS;
        let last = records.last().filter(|_| is_full);
        self.position = last.map_or(end, |last| last.seq);
        Ok(records)
    }

    /// False if nobody listens any more.
    async fn send(&self, records: Vec<Recorded>) -> Result<bool, Error> {
        let named = named(records.iter().map(|recorded| &recorded.record));
        let choices = self.store.choices(named).await?;
        let part = Watched {
            records,
            choices,
            position: self.position,
        };
        tokio::select! {
            sent = timeout(READER_WAIT_MAX, self.parts.send(Ok(part))) => match sent {
                Ok(sent) => Ok(sent.is_ok()),
                Err(_) => Err(Refusal::ReaderTooSlow.into()),
            },
            () = self.service.0.stopping.cancelled() => Err(Error::ShuttingDown),
        }
    }
}
