//! Changes beyond giving and taking products, and other ways to carry them out: previews and what
//! they promise, atomic batches and early stops; replacing, deltas, and revoking all else.

mod guard;
mod preview;
mod products;
mod promise;
mod terms;

use seatwise_client::v1::batch_options::{Capacity, Mode};
use seatwise_client::v1::{
    Assignment, Batch, BatchOptions, ExecuteBatchRequest, License, ReasonCode, User,
};

use crate::customer::{Customer, Outcome, codes_of, read};
use crate::fixtures::user_id;

fn best_effort() -> BatchOptions {
    BatchOptions::default()
}

fn atomic() -> BatchOptions {
    BatchOptions {
        mode: Mode::Atomic.into(),
        ..BatchOptions::default()
    }
}

fn stop_after(failures: i32) -> BatchOptions {
    BatchOptions {
        stop_after_failures: failures,
        ..BatchOptions::default()
    }
}

fn refuse_if_short() -> BatchOptions {
    BatchOptions {
        capacity: Capacity::RefuseIfShort.into(),
        ..BatchOptions::default()
    }
}

/// The request, carried out otherwise.
fn with(options: BatchOptions, request: ExecuteBatchRequest) -> ExecuteBatchRequest {
    ExecuteBatchRequest {
        options: Some(options),
        ..request
    }
}

/// All of a customer that a batch could change.
type State = (Vec<User>, Vec<License>, Vec<Assignment>, Vec<Batch>);

impl Customer {
    async fn state(&self) -> State {
        (
            self.users().await,
            self.licenses().await,
            self.assignments().await,
            self.batches().await,
        )
    }

    /// Reads a preview to its end.
    async fn preview(&self, request: &ExecuteBatchRequest) -> Outcome {
        let preview = read(self.client.preview(request.clone())).await;
        preview.expect("a preview")
    }

    /// Runs a request to its end, which may have skipped users.
    async fn outcome(&self, request: &ExecuteBatchRequest) -> Outcome {
        let outcome = read(self.client.batch(request.clone())).await;
        outcome.expect("the batch is accepted and ends")
    }

    /// Takes the locations of users away, so that they are given nothing new.
    async fn unlocate(&self, numbers: impl IntoIterator<Item = usize>) {
        let nowhere = |number| seatwise_client::v1::ImportedUser {
            user_id: user_id(number),
            usage_location: Some(String::new()),
            ..Default::default()
        };
        let users = numbers.into_iter().map(nowhere).collect();
        self.import(users).await;
    }
}

/// Applied, unchanged, failed and skipped.
fn all_counts(batch: &Batch) -> (i32, i32, i32, i32) {
    let (applied, unchanged, failed) = crate::customer::counts(batch);
    (applied, unchanged, failed, batch.skipped_count())
}

/// The reasons of every user by its place, empty for who succeeded.
fn codes(outcome: &Outcome) -> Vec<Vec<ReasonCode>> {
    outcome.by_index().iter().map(codes_of).collect()
}
