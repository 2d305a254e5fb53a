//! What is done about a batch afterwards: it is cancelled, taken back, or tried again.

mod cancel;
mod retry;
mod revert;
mod undone;

use std::collections::BTreeMap;

use seatwise_client::v1::{BatchResult, PlanChoice, RetryBatchRequest, RevertBatchRequest};
use seatwise_client::{BatchRequest, Error};
use uuid::Uuid;

use crate::customer::{Customer, Outcome, read};

/// Who holds what, with which choice of plans, and how many seats are assigned.
pub(crate) type World = (
    BTreeMap<(String, String), Option<PlanChoice>>,
    BTreeMap<String, i32>,
);

impl Customer {
    pub(crate) fn retry(&self, batch_id: &str) -> RetryBatchRequest {
        RetryBatchRequest {
            customer_id: self.id.clone(),
            request_id: Uuid::now_v7().to_string(),
            batch_id: batch_id.to_owned(),
            ..RetryBatchRequest::default()
        }
    }

    pub(crate) fn revert(&self, batch_id: &str) -> RevertBatchRequest {
        RevertBatchRequest {
            customer_id: self.id.clone(),
            request_id: Uuid::now_v7().to_string(),
            batch_id: batch_id.to_owned(),
            ..RevertBatchRequest::default()
        }
    }

    /// Carries a request out to its end.
    pub(crate) async fn complete(&self, request: impl Into<BatchRequest>) -> Outcome {
        let outcome = read(self.client.batch(request)).await;
        outcome.expect("the batch is accepted and ends")
    }

    /// Previews a request, carries it out, and checks that it did what was shown.
    async fn show_and_complete(&self, request: impl Into<BatchRequest>) -> Outcome {
        let request = request.into();
        let before = self.world().await;
        let shown = read(self.client.preview(request.clone())).await;
        let shown = shown.expect("a preview");
        assert_eq!(self.world().await, before, "a preview changes nothing");
        let token = shown.summary.plan_token.clone();
        let outcome = self.complete(request.with_plan_token(token)).await;
        assert_eq!(comparable(&outcome.results), comparable(&shown.results));
        assert_eq!(outcome.summary.seats, shown.summary.seats);
        assert_eq!(outcome.summary.reasons, shown.summary.reasons);
        outcome
    }

    async fn refused(&self, request: impl Into<BatchRequest>) -> Error {
        let before = (self.world().await, self.batches().await);
        let outcome = read(self.client.batch(request)).await;
        assert_eq!((self.world().await, self.batches().await), before);
        outcome.expect_err("refused")
    }

    pub(crate) async fn world(&self) -> World {
        let held = self.assignments().await.into_iter();
        let held = held.map(|held| ((held.user_id, held.product_id), held.plans));
        let seats = self.licenses().await.into_iter();
        let seats = seats.map(|license| (license.product_id.clone(), license.assigned()));
        (held.collect(), seats.collect())
    }
}

/// Results without what differs from batch to batch: times and cursors.
pub(crate) fn comparable(results: &[BatchResult]) -> Vec<BatchResult> {
    let mut results = results.to_vec();
    for result in &mut results {
        result.cursor.clear();
        result.commit_time = None;
    }
    results
}
