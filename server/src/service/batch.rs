//! Batches at work: acceptance, and the task that brings an accepted batch to its end, chunk by
//! chunk, in this process or, after a crash, in the next.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{BatchRequest, Error, Service, now};
use crate::domain::{
    BatchId, Catalogue, Choices, Digest, Order, Origin, Plan, Scope, Snapshot, Stop, Terms, decide,
};
use crate::store::{
    Accepted, Batch, Chunk, Decide, Decision, Error as StoreError, NewBatch, Rehearse, Rehearsed,
    Timestamp, Written,
};

/// How long a server may be silent before another takes its batch over. Every chunk renews it.
const LEASE: Duration = Duration::from_secs(3);
/// How often a server looks for batches that nobody works on.
const RECOVERY_INTERVAL: Duration = Duration::from_secs(1);
/// Batches taken over in one go.
const RECOVERY_BATCHES: i64 = 64;
/// Wait before a chunk that met an obstacle is tried again; it doubles up to the maximum.
const RETRY_WAIT: Duration = Duration::from_millis(20);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(2);
/// How often an acceptance that met an obstacle is tried.
const ACCEPT_TRIES: u32 = 5;

/// What a result is encoded from.
pub struct Encoding<'a> {
    /// The batch, and the time of the commit; none in a preview.
    pub batch: Option<(BatchId, Timestamp)>,
    /// Position of the first turn.
    pub first_position: i64,
    /// The turns.
    pub order: &'a Order,
    /// What was so.
    pub snapshot: &'a Snapshot,
    /// What becomes of each user.
    pub plan: &'a Plan,
    /// For names.
    pub catalogue: &'a Catalogue,
}

/// Encodes the results of a chunk as they will be sent, in parts, each with its number of results.
pub type Encode = Arc<dyn Fn(&Encoding<'_>) -> Vec<(usize, Vec<u8>)> + Send + Sync>;

impl Service {
    /// Accepts a batch and starts it, or finds the one that the same request started before. The
    /// flag says which: true if it was before.
    pub async fn execute(&self, request: BatchRequest) -> Result<(Batch, bool), Error> {
        if self.0.stopping.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        let (scope, new) = (request.scope, new_batch(request));
        let service = self.clone();
        // Starting the batch belongs to accepting it, whatever becomes of the caller meanwhile.
        let task = async move {
            Ok(match service.accept(scope, &new).await? {
                Accepted::New(batch) => {
                    service.start(scope, batch.batch_id, 1);
                    (batch, false)
                }
                Accepted::Before(batch) => (batch, true),
                Accepted::CatalogueMoved => unreachable!("tried again"),
            })
        };
        self.0.tasks.spawn(task).await?
    }

    async fn accept(&self, scope: Scope, new: &NewBatch) -> Result<Accepted, Error> {
        let store = self.0.store.of(scope);
        let mut wait = RETRY_WAIT;
        let mut rehearse = self.rehearse(self.known_catalogue(), new, false);
        for last in (0..ACCEPT_TRIES).rev().map(|left| left == 0) {
            match store.accept_batch(new, &rehearse).await {
                Ok(Accepted::CatalogueMoved) if !last => {
                    rehearse = self.rehearse(self.catalogue().await?, new, false);
                }
                Ok(Accepted::CatalogueMoved) => {
                    let busy = "the catalogue is being changed over and over".to_owned();
                    return Err(StoreError::Conflict(busy).into());
                }
                Err(StoreError::Conflict(error)) if !last => {
                    tracing::info!(error, "acceptance is tried again");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                outcome => return Ok(outcome?),
            }
        }
        unreachable!("the last try returns")
    }

    /// Looks for batches that nobody works on and takes them over, until the service stops.
    pub async fn recover(&self) {
        // Nobody else can have this database open: what is not ended was left by a crash.
        let mut horizon = self.0.store.is_exclusive().then_some(Timestamp(i64::MAX));
        while !self.0.stopping.is_cancelled() {
            let before = horizon.take().unwrap_or_else(now);
            if let Err(error) = self.take_over(before).await {
                tracing::warn!(%error, "cannot look for abandoned batches");
            }
            tokio::select! {
                () = tokio::time::sleep(RECOVERY_INTERVAL) => {}
                () = self.0.stopping.cancelled() => {}
            }
        }
    }

    async fn take_over(&self, before: Timestamp) -> Result<(), StoreError> {
        let store = &self.0.store;
        for (scope, batch) in store.abandoned_batches(before, RECOVERY_BATCHES).await? {
            if self.0.progress.knows(batch) {
                // It waits its turn here.
                continue;
            }
            let lease = after(now(), LEASE);
            if let Some(fence) = store.of(scope).claim_batch(batch, before, lease).await? {
                tracing::info!(customer = %scope.customer(), %batch, fence, "batch taken over");
                self.start(scope, batch, fence);
            }
        }
        Ok(())
    }

    fn start(&self, scope: Scope, batch: BatchId, fence: i64) {
        let service = self.clone();
        let position = self.0.progress.begin(batch);
        let work = {
            let service = service.clone();
            async move {
                let _slot = service.0.running.clone().acquire_owned().await;
                service.run(scope, batch, fence, &position).await
            }
        };
        self.0.tasks.spawn(async move {
            // In a task of its own, so that a panic ends here and the batch can be taken over.
            let worked = tokio::spawn(work)
                .await
                .unwrap_or_else(|panic| Err(panic.into()));
            if let Err(error) = worked {
                let customer = scope.customer();
                tracing::error!(%customer, %batch, %error, "batch stopped; it will be taken over");
            }
            service.0.progress.end(batch);
        });
    }

    /// Works on a batch until it ends, another server has it, or this one stops.
    async fn run(
        &self,
        scope: Scope,
        batch: BatchId,
        fence: i64,
        progress: &tokio::sync::watch::Sender<i64>,
    ) -> Result<(), Error> {
        let store = self.0.store.of(scope);
        let standing = store.batch(batch).await?;
        let origin = store.batch_origin(batch).await?;
        let terms = standing.terms();
        let (mut position, end) = (standing.next_position, standing.user_count);
        let mut choices = Choices::default();
        let mut wait = RETRY_WAIT;
        while position < end {
            if self.0.stopping.is_cancelled() {
                return Ok(store.release_batch(batch, fence, now()).await?);
            }
            let step = self
                .step(
                    (scope, batch, fence),
                    (position, end),
                    terms,
                    &origin,
                    &choices,
                )
                .await;
            match step {
                Ok((Written::Done(known), turns)) => {
                    choices = known;
                    position += turns;
                    wait = RETRY_WAIT;
                    progress.send_replace(position);
                }
                Ok((Written::Behind(next), _)) => position = next,
                Ok((Written::CatalogueMoved, _)) => {}
                Ok((Written::Fenced, _)) => return Ok(()),
                Err(Error::Unavailable(error)) => {
                    let customer = scope.customer();
                    tracing::warn!(%customer, %batch, %error, "chunk is tried again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_WAIT_MAX);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does the chunk at `position`; gives its number of turns as well.
    async fn step(
        &self,
        (scope, batch, fence): (Scope, BatchId, i64),
        (position, end): (i64, i64),
        terms: Terms,
        origin: &Origin,
        choices: &Choices,
    ) -> Result<(Written, i64), Error> {
        let store = self.0.store.of(scope);
        let may_go_on = self.may_go_on(origin, scope, self.0.batch_roles).await?;
        let (order, promised) = store.batch_chunk(batch, position).await?;
        let mut catalogue = self.known_catalogue();
        let turns = order.turns.len() as i64;
        let now = now();
        let mut chunk = Chunk {
            batch,
            origin: origin.clone(),
            fence,
            first_position: position,
            order,
            is_last: position + turns >= end,
            catalogue_version: catalogue.version,
            choices: choices.clone(),
            now,
            lease_expires_at: after(now, LEASE),
        };
        loop {
            let shared = Arc::new(chunk);
            let bounds = (promised, may_go_on);
            let decide = self.decision(shared.clone(), catalogue.clone(), terms, bounds);
            let written = store.write_chunk(shared.clone(), decide).await?;
            if !matches!(written, Written::CatalogueMoved) {
                return Ok((written, turns));
            }
            catalogue = self.catalogue().await?;
            chunk = Arc::unwrap_or_clone(shared);
            chunk.catalogue_version = catalogue.version;
        }
    }

    /// How a chunk is decided: by the rules, unless it is to come to what was promised and does not, or who
    /// asked for it may no longer do so.
    fn decision(
        &self,
        chunk: Arc<Chunk>,
        catalogue: Arc<Catalogue>,
        terms: Terms,
        (promised, may_go_on): (Option<Digest>, bool),
    ) -> Decide {
        let encode = self.0.encode.clone();
        Arc::new(move |snapshot| {
            let mut plan = decide(&catalogue, snapshot, &chunk.order, terms);
            let kept = |promised| promised == Digest::of(&catalogue, snapshot, &chunk.order, &plan);
            let stop = if !may_go_on {
                Some(Stop::AccessLost)
            } else if promised.is_none_or(kept) {
                None
            } else {
                Some(Stop::PlanStale)
            };
            if let (None, Some(stop)) = (snapshot.progress.stopped, stop) {
                plan = Plan::skip(snapshot, &chunk.order, stop);
            }
            let results = encode(&Encoding {
                batch: Some((chunk.batch, chunk.now)),
                first_position: chunk.first_position,
                order: &chunk.order,
                snapshot,
                plan: &plan,
                catalogue: &catalogue,
            });
            Decision { plan, results }
        })
    }

    /// What a batch would do, by this catalogue; with results if they are to be shown.
    pub(super) fn rehearse(
        &self,
        catalogue: Arc<Catalogue>,
        new: &NewBatch,
        with_results: bool,
    ) -> Rehearse {
        let (terms, encode_with) = (new.terms, with_results.then(|| self.0.encode.clone()));
        let catalogue_version = catalogue.version;
        let decide = move |snapshot: &Snapshot, order: &Order, first_position| {
            let plan = decide(&catalogue, snapshot, order, terms);
            let encode = |encode: &Encode| {
                encode(&Encoding {
                    batch: None,
                    first_position,
                    order,
                    snapshot,
                    plan: &plan,
                    catalogue: &catalogue,
                })
            };
            Rehearsed {
                digest: Digest::of(&catalogue, snapshot, order, &plan),
                results: encode_with.as_ref().map(encode).unwrap_or_default(),
                plan,
            }
        };
        Rehearse {
            catalogue_version,
            decide: Arc::new(decide),
        }
    }
}

pub(super) fn new_batch(request: BatchRequest) -> NewBatch {
    let now = now();
    NewBatch {
        id: BatchId(Uuid::now_v7()),
        request: request.request,
        request_hash: request.hash(),
        origin: request.origin,
        changes: request.changes,
        users: request.users,
        terms: request.terms,
        capacity: request.capacity,
        promised: request.promised,
        confirmed: request.confirmed,
        unless_accepted: request.unless_accepted,
        now,
        lease_expires_at: after(now, LEASE),
    }
}

fn after(time: Timestamp, wait: Duration) -> Timestamp {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    Timestamp(time.0.saturating_add(micros))
}
