//! Retention: what is old is pruned in the background, step by step, for as long as the server runs.
//! Any number of servers may do so at once: they take each other's steps, and nothing is done twice.

use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use super::{Service, now};
use crate::domain::{Comment, Origin, Scope};
use crate::store::{Error as StoreError, Timestamp};

/// How often everything is looked through.
const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How long the work rests at least after a step; and at least as long as the step has taken, so that
/// batches have the database for half of the time whatever is to be pruned.
const REST: Duration = Duration::from_millis(10);
/// Customers looked up by one statement.
const CUSTOMERS_READ: i64 = 100;
/// How many days results are kept unless it is said.
const RESULTS_DAYS: NonZeroU16 = NonZeroU16::new(90).expect("not zero");

/// How long results and history are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    results: NonZeroU16,
    history: Option<NonZeroU16>,
}

/// A revert needs the history of the results that it goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "history cannot be kept for {history} days and results for {results}: to revert a batch takes \
     both; keep history for {results} days or more, or results for {history} or fewer"
)]
pub struct HistoryTooShort {
    history: NonZeroU16,
    results: NonZeroU16,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            results: RESULTS_DAYS,
            history: None,
        }
    }
}

impl Keep {
    /// Keeps the results of a batch for so many days after its end, and history for so many days or,
    /// if not given, for ever.
    pub fn new(results: NonZeroU16, history: Option<NonZeroU16>) -> Result<Self, HistoryTooShort> {
        match history {
            Some(history) if history < results => Err(HistoryTooShort { history, results }),
            _ => Ok(Self { results, history }),
        }
    }
}

/// What was pruned in one go.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pruned {
    result_rows: usize,
    records: usize,
}

impl Service {
    /// Prunes what is older than is to be kept, now and again, until the service stops.
    pub async fn prune(&self, keep: Keep) {
        let stopping = &self.0.stopping;
        while !stopping.is_cancelled() {
            let mut pruned = Pruned::default();
            if let Err(error) = self.prune_all(keep, &mut pruned).await {
                tracing::warn!(%error, "pruning is tried again later");
            }
            if pruned != Pruned::default() {
                let Pruned {
                    result_rows,
                    records,
                } = pruned;
                tracing::info!(result_rows, records, "pruned");
            }
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                () = stopping.cancelled() => {}
            }
        }
    }

    async fn prune_all(&self, keep: Keep, pruned: &mut Pruned) -> Result<(), StoreError> {
        let (store, now) = (&self.0.store, now());
        let before = |days: NonZeroU16| days_before(now, days);
        let history = keep.history.map(before);
        if let Some(history) = history {
            self.prune_journal(store.installation(), history, now, pruned)
                .await?;
        }
        let mut after = None;
        loop {
            let customers = store.customers_after(after, CUSTOMERS_READ).await?;
            let Some(last) = customers.last() else {
                return Ok(());
            };
            after = Some(*last);
            for scope in customers {
                let results = before(keep.results);
                let done = self.prune_customer(scope, results, history, now, pruned);
                match done.await {
                    // The others are in no better place.
                    Err(error @ StoreError::Unavailable(_)) => return Err(error),
                    Err(error) => {
                        let customer = scope.customer();
                        tracing::warn!(%customer, %error, "pruning is tried again later");
                    }
                    Ok(()) => {}
                }
                if self.0.stopping.is_cancelled() {
                    return Ok(());
                }
            }
        }
    }

    async fn prune_customer(
        &self,
        scope: Scope,
        results: Timestamp,
        history: Option<Timestamp>,
        now: Timestamp,
        pruned: &mut Pruned,
    ) -> Result<(), StoreError> {
        let store = self.0.store.of(scope);
        while let Some(rows) = self.take(store.prune_results(results)).await? {
            pruned.result_rows += rows;
        }
        match history {
            Some(history) => self.prune_journal(scope, history, now, pruned).await,
            None => Ok(()),
        }
    }

    async fn prune_journal(
        &self,
        scope: Scope,
        before: Timestamp,
        now: Timestamp,
        pruned: &mut Pruned,
    ) -> Result<(), StoreError> {
        let (store, origin) = (self.0.store.of(scope), origin());
        if let Some(start) = store.move_start(before, &origin, now).await? {
            let customer = scope.customer();
            tracing::info!(%customer, position = start.position, "journal begins later");
        }
        while let Some(records) = self.take(store.prune_journal()).await? {
            pruned.records += records;
        }
        Ok(())
    }

    /// Takes a step and rests, unless there was nothing left to do or the service stops.
    async fn take(
        &self,
        step: impl Future<Output = Result<Option<usize>, StoreError>>,
    ) -> Result<Option<usize>, StoreError> {
        if self.0.stopping.is_cancelled() {
            return Ok(None);
        }
        let begun = Instant::now();
        let Some(rows) = step.await? else {
            return Ok(None);
        };
        tokio::select! {
            () = tokio::time::sleep(begun.elapsed().max(REST)) => {}
            () = self.0.stopping.cancelled() => {}
        }
        Ok(Some(rows))
    }
}

/// Who prunes: nobody has asked for it.
fn origin() -> Origin {
    Origin {
        who: "seatwise".to_owned(),
        through: "retention".to_owned(),
        request: None,
        comment: Comment::default(),
    }
}

fn days_before(Timestamp(now): Timestamp, days: NonZeroU16) -> Timestamp {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    Timestamp(now - i64::from(days.get()) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: u16) -> NonZeroU16 {
        NonZeroU16::new(days).expect("not zero")
    }

    #[test]
    fn history_is_kept_as_long_as_results_or_longer() {
        for (results, history, is_good) in [
            (1, None, true),
            (90, Some(90), true),
            (90, Some(91), true),
            (90, Some(89), false),
        ] {
            let keep = Keep::new(days(results), history.map(days));
            assert_eq!(keep.is_ok(), is_good, "{results} {history:?}");
        }
        let error = Keep::new(days(90), Some(days(30))).expect_err("too short");
        let text = error.to_string();
        assert!(text.contains("history for 90 days or more") && text.contains("results for 30"));
    }
}
