//! Batches of a fixture: requested, accepted and worked on as the service does it, with one letter for
//! each result.

use std::sync::Arc;

use uuid::Uuid;

use super::fixture::{BY, Fixture, NOW, later};
use crate::domain::{
    BatchId, Change, Choices, Digest, Disposition, Plan, RequestId, Snapshot, Stop, Terms, UserId,
    UserRef, decide,
};
use crate::store::{
    Accepted, Batch, Capacity, Chunk, Decide, Decision, Error, NewBatch, Rehearse, Rehearsed,
    StoredResults, Users, Written,
};

impl Fixture {
    /// A request number `number` that changes every one of `users` in the same way.
    pub(super) fn request(&self, number: u8, users: &[UserId], change: Change) -> NewBatch {
        let users = users.iter().map(|&user| (UserRef::Id(user), 0));
        NewBatch {
            id: BatchId(Uuid::from_u128(number.into())),
            request: RequestId(Uuid::from_u128(number.into())),
            request_hash: [number; 32],
            origin: BY.clone(),
            changes: vec![change],
            users: Users::Listed(users.collect()),
            terms: Terms::BestEffort,
            capacity: Capacity::FillInOrder,
            promised: None,
            confirmed: None,
            unless_accepted: None,
            now: NOW,
            lease_expires_at: later(30),
        }
    }

    /// Accepts a request that must be new.
    pub(super) async fn accept(&self, request: &NewBatch) -> Batch {
        match self.try_accept(request).await.expect("accepted") {
            Accepted::New(batch) => batch,
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub(super) async fn try_accept(&self, request: &NewBatch) -> Result<Accepted, Error> {
        let rehearse = self.rehearse(request.terms);
        self.rows.accept_batch(request, &rehearse).await
    }

    /// The rehearsal that the service would hold.
    pub(super) fn rehearse(&self, terms: Terms) -> Rehearse {
        let catalogue = self.catalogue.clone();
        Rehearse {
            catalogue_version: catalogue.version,
            decide: Arc::new(move |snapshot, order, _| {
                let plan = decide(&catalogue, snapshot, order, terms);
                let digest = Digest::of(&catalogue, snapshot, order, &plan);
                let Decision { plan, results } = decision_of(plan);
                Rehearsed {
                    plan,
                    digest,
                    results,
                }
            }),
        }
    }

    /// The chunk of a batch at a position, to be written under the first fence.
    pub(super) async fn chunk(&self, batch: &Batch, first_position: i64) -> Chunk {
        let order = self.rows.batch_chunk(batch.batch_id, first_position).await;
        let (order, _) = order.expect("a chunk");
        Chunk {
            batch: batch.batch_id,
            origin: BY.clone(),
            fence: 1,
            first_position,
            is_last: first_position + order.turns.len() as i64 == batch.user_count,
            order,
            catalogue_version: self.catalogue.version,
            choices: Choices::default(),
            now: NOW,
            lease_expires_at: later(30),
        }
    }

    /// The decision that the service would take, of a best-effort batch.
    pub(super) fn decision(&self, chunk: &Arc<Chunk>) -> Decide {
        self.decision_by(chunk, Terms::BestEffort, None)
    }

    fn decision_by(&self, chunk: &Arc<Chunk>, terms: Terms, promised: Option<Digest>) -> Decide {
        let (catalogue, chunk) = (self.catalogue.clone(), chunk.clone());
        Arc::new(move |snapshot: &Snapshot| {
            let order = &chunk.order;
            let mut plan = decide(&catalogue, snapshot, order, terms);
            let kept = |promised| promised == Digest::of(&catalogue, snapshot, order, &plan);
            if snapshot.progress.stopped.is_none() && !promised.is_none_or(kept) {
                plan = Plan::skip(snapshot, order, Stop::PlanStale);
            }
            decision_of(plan)
        })
    }

    /// Writes a chunk of a best-effort batch, which must be done, and gives the choices that are
    /// known then.
    pub(super) async fn write(&self, chunk: Chunk) -> Choices {
        let chunk = Arc::new(chunk);
        let decide = self.decision(&chunk);
        self.write_by(chunk, decide).await
    }

    /// Writes a chunk of a batch on other terms, which must be done.
    pub(super) async fn write_on_terms(&self, chunk: Chunk, terms: Terms) -> Choices {
        let chunk = Arc::new(chunk);
        let decide = self.decision_by(&chunk, terms, None);
        self.write_by(chunk, decide).await
    }

    async fn write_by(&self, chunk: Arc<Chunk>, decide: Decide) -> Choices {
        let written = self.rows.write_chunk(chunk, decide).await;
        match written.expect("written") {
            Written::Done(choices) => choices,
            other => panic!("not done: {other:?}"),
        }
    }

    /// Does all of a batch and says for each turn in service order: A for applied, U for
    /// unchanged, F for failed.
    pub(super) async fn work(&self, batch: &Batch) -> String {
        let (mut position, mut choices) = (0, Choices::default());
        while position < batch.user_count {
            let chunk = Chunk {
                choices,
                ..self.chunk(batch, position).await
            };
            let stored = self.rows.batch_chunk(batch.batch_id, position);
            let (_, promised) = stored.await.expect("a chunk");
            position += chunk.order.turns.len() as i64;
            let chunk = Arc::new(chunk);
            let decide = self.decision_by(&chunk, batch.terms(), promised);
            choices = self.write_by(chunk, decide).await;
        }
        let results = self.results(batch, 0).await;
        let bytes = results
            .into_iter()
            .flat_map(|results| results.bytes)
            .collect();
        String::from_utf8(bytes).expect("letters")
    }

    /// Accepts a request and does all of it.
    pub(super) async fn run(&self, number: u8, users: &[UserId], change: Change) -> String {
        let batch = self.accept(&self.request(number, users, change)).await;
        self.work(&batch).await
    }

    /// The batch as it is now.
    pub(super) async fn batch(&self, batch: &Batch) -> Batch {
        self.rows.batch(batch.batch_id).await.expect("a batch")
    }

    pub(super) async fn results(&self, batch: &Batch, position: i64) -> Vec<StoredResults> {
        let results = self.rows.batch_results(batch.batch_id, position, i64::MAX);
        results.await.expect("results")
    }
}

/// A plan with its results encoded as one letter each.
pub(super) fn decision_of(plan: Plan) -> Decision {
    let letter = |disposition| match disposition {
        Disposition::Applied => b'A',
        Disposition::Unchanged => b'U',
        Disposition::Failed => b'F',
        Disposition::Skipped => b'S',
    };
    let results: Vec<u8> = plan
        .outcomes
        .iter()
        .map(|outcome| letter(outcome.disposition))
        .collect();
    let results = vec![(results.len(), results)];
    Decision { plan, results }
}
