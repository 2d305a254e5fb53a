//! The key set of an issuer: read in the background again and again, and at once if somebody has a token of
//! a key that is not in it. If the issuer is away, its last keys stay good for a day.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::fetch::Source;
use super::key::{Key, Written};
use super::{Problem, Rejected};
use crate::config::Issuer;

/// Most keys of a set, usable or not.
const KEYS_MAX: usize = 32;
/// After that many failures in a row, the wait for the next attempt no longer doubles.
const DOUBLINGS_MAX: u32 = 5;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// From one reading to the next.
    pub(super) refresh: Duration,
    /// From a reading that failed to the next, doubled with each that fails.
    pub(super) retry: Duration,
    /// From one reading that a token made necessary to the next such.
    pub(super) between: Duration,
    /// How long keys stay good that cannot be read again.
    pub(super) stale: Duration,
    /// For a connection to the issuer.
    pub(super) connect: Duration,
    /// For the connection and the answer on it.
    pub(super) answer: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(10 * 60),
            retry: Duration::from_secs(1),
            between: Duration::from_secs(30),
            stale: Duration::from_secs(24 * 60 * 60),
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
        }
    }
}

/// The keys of an issuer, kept up to date by a task.
#[derive(Debug)]
pub(super) struct KeySet {
    state: watch::Receiver<State>,
    wanted: Arc<Notify>,
    asked: Mutex<Option<Asked>>,
    waits: Waits,
    _reader: AbortOnDropHandle<()>,
}

/// What the task has read. Readings are numbered from 1.
#[derive(Debug, Default)]
struct State {
    begun: u64,
    ended: u64,
    last_failed: bool,
    keys: Option<Keys>,
}

#[derive(Debug)]
struct Keys {
    by_id: BTreeMap<String, Arc<Key>>,
    read_at: Instant,
}

/// The last reading that a token made necessary.
#[derive(Debug)]
struct Asked {
    at: Instant,
    reading: u64,
}

impl KeySet {
    pub(super) fn new(issuer: &Issuer, waits: Waits) -> Result<Self, Problem> {
        let source = Source::new(issuer, waits)?;
        let (told, state) = watch::channel(State::default());
        let wanted = Arc::new(Notify::new());
        let reader = tokio::spawn(read_on(source, waits, told, Arc::clone(&wanted)));
        Ok(Self {
            state,
            wanted,
            asked: Mutex::new(None),
            waits,
            _reader: AbortOnDropHandle::new(reader),
        })
    }

    /// The key with this id. If there is none, the issuer is asked once more, but not again and again:
    /// anybody can send tokens.
    pub(super) async fn key(&self, id: &str) -> Result<Arc<Key>, Rejected> {
        self.reading_ended(1).await?;
        if let Some(key) = self.find(id)? {
            return Ok(key);
        }
        self.reading_ended(self.ask()).await?;
        let found = self.find(id)?;
        found.ok_or_else(|| match self.state.borrow().last_failed {
            true => Rejected::KeysUnavailable,
            false => Rejected::Invalid("signed by no key of the issuer"),
        })
    }

    fn find(&self, id: &str) -> Result<Option<Arc<Key>>, Rejected> {
        let state = self.state.borrow();
        let is_good = |keys: &&Keys| keys.read_at.elapsed() < self.waits.stale;
        let keys = state.keys.as_ref().filter(is_good);
        let keys = keys.ok_or(Rejected::KeysUnavailable)?;
        Ok(keys.by_id.get(id).cloned())
    }

    /// Asks for a reading that begins from now on, unless there was one a moment ago. Says which to wait for.
    fn ask(&self) -> u64 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match &*asked {
            Some(asked) if asked.at.elapsed() < self.waits.between => asked.reading,
            _ => {
                let reading = self.state.borrow().begun + 1;
                let at = Instant::now();
                *asked = Some(Asked { at, reading });
                self.wanted.notify_one();
                reading
            }
        }
    }

    async fn reading_ended(&self, reading: u64) -> Result<(), Rejected> {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| state.ended >= reading).await;
        let gone = |_| Rejected::KeysUnavailable;
        ended.map(|_| ()).map_err(gone)
    }
}

/// Reads the key set for ever. Only this task does, so there is one reading at a time; and callers who go
/// away do not end it.
async fn read_on(source: Source, waits: Waits, state: watch::Sender<State>, wanted: Arc<Notify>) {
    let mut failures = 0;
    loop {
        state.send_modify(|state| state.begun += 1);
        let read = match source.read().await {
            Ok(text) => parse(&text),
            Err(error) => Err(error.to_string()),
        };
        let wait = match &read {
            Ok(_) => {
                failures = 0;
                waits.refresh
            }
            Err(problem) => {
                let last = state
                    .borrow()
                    .keys
                    .as_ref()
                    .map(|keys| keys.read_at.elapsed());
                warn(&source, problem, last, waits.stale);
                let doublings = DOUBLINGS_MAX.min(failures);
                failures += 1;
                waits.retry * 2_u32.pow(doublings)
            }
        };
        state.send_modify(|state| {
            state.ended = state.begun;
            state.last_failed = read.is_err();
            if let Ok(by_id) = read {
                let read_at = Instant::now();
                state.keys = Some(Keys { by_id, read_at });
            }
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = wanted.notified() => {}
        }
    }
}

/// The keys cannot be read; `last` is the age of those that are known.
fn warn(source: &Source, problem: &str, last: Option<Duration>, stale: Duration) {
    let url = source.url();
    match last {
        Some(age) if age < stale => {
            let seconds = age.as_secs();
            let text = "the issuer's keys cannot be read; the last ones stay good for a day";
            tracing::warn!(%url, %problem, seconds, "{text}");
        }
        _ => {
            let text = "the issuer's keys cannot be read; no token can be verified";
            tracing::error!(%url, %problem, "{text}");
        }
    }
}

/// Makes sense of a key set (RFC 7517). Keys that are not for tokens, or of which we know nothing, are left
/// out.
fn parse(text: &[u8]) -> Result<BTreeMap<String, Arc<Key>>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(text).map_err(|error| format!("no key set: {error}"))?;
    let count = set.keys.len();
    if count > KEYS_MAX {
        return Err(format!("{count} keys; more than {KEYS_MAX} are not read"));
    }
    let mut by_id = BTreeMap::new();
    for (index, value) in set.keys.into_iter().enumerate() {
        let written = Written::deserialize(value).map_err(|_| "a member is missing or not text");
        match written.and_then(Written::parse) {
            Err(reason) => tracing::debug!(index, reason, "a key of the issuer is left out"),
            Ok(key) => {
                let twice = by_id.insert(key.id.clone(), Arc::new(key));
                if let Some(key) = twice {
                    return Err(format!("two keys are called {:?}", key.id));
                }
            }
        }
    }
    if by_id.is_empty() {
        tracing::warn!(
            count,
            "no key of the issuer is usable; every token is refused"
        );
    }
    Ok(by_id)
}
