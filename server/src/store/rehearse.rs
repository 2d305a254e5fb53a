//! What a batch would do: its chunks are read and decided one after another, and nothing is written.
//! A preview does so at one moment of the database; an acceptance, under the customer's lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Error;
use super::snapshot::ReadSnapshot;
use crate::domain::{
    Choices, CustomerId, Digest, Losses, Order, Plan, ProductId, Progress, Seats, Snapshot,
};

/// A decision about an order, what it promises, and the results as they would be sent.
#[derive(Debug)]
pub struct Rehearsed {
    /// What would become of each user.
    pub plan: Plan,
    /// Sums it up.
    pub digest: Digest,
    /// The results as in a decision; empty if nobody asked for them.
    pub results: Vec<(usize, Vec<u8>)>,
}

type RehearseOrder = dyn Fn(&Snapshot, &Order, i64) -> Rehearsed + Send + Sync;

/// The decision, to be asked for order after order, each with the position of its first turn.
#[derive(Clone)]
pub struct Rehearse {
    /// The version of the catalogue that it goes by.
    pub catalogue_version: i64,
    /// What is asked.
    pub decide: Arc<RehearseOrder>,
}

/// A rehearsal up to some chunk.
#[derive(Default)]
pub(super) struct Rehearsal {
    /// Seats before the first chunk.
    before: Option<BTreeMap<ProductId, Seats>>,
    /// Seats as the chunks so far would leave them.
    seats: Option<BTreeMap<ProductId, Seats>>,
    progress: Progress,
    losses: Losses,
    choices: Choices,
    digests: Vec<Digest>,
    position: i64,
}

impl Rehearsal {
    /// Goes through the next chunk.
    pub(super) async fn step(
        &mut self,
        conn: &mut impl ReadSnapshot,
        customer: CustomerId,
        order: Order,
        rehearse: &Rehearse,
    ) -> Result<Rehearsed, Error> {
        let order = Arc::new(order);
        let choices = std::mem::take(&mut self.choices);
        let mut snapshot = conn.snapshot(customer, &order, choices).await?;
        if let Some(seats) = self.seats.take() {
            snapshot.seats = seats;
        }
        snapshot.progress = std::mem::take(&mut self.progress);
        let rehearsed = (rehearse.decide)(&snapshot, &order, self.position);

        let mut progress = snapshot.progress.clone();
        progress.add(&snapshot, &order, &rehearsed.plan);
        let mut seats = snapshot.seats;
        let before = self.before.get_or_insert_with(|| seats.clone());
        self.losses.add(&rehearsed.plan, before);
        for (product, delta) in &rehearsed.plan.seat_deltas {
            let license = seats.get_mut(product);
            license.expect("only licensed seats move").assigned += delta;
        }
        self.seats = Some(seats);
        self.progress = progress;
        self.choices = snapshot.choices;
        self.digests.push(rehearsed.digest);
        self.position += order.turns.len() as i64;
        Ok(rehearsed)
    }

    /// What the batch would have done.
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// What the batch would have taken away.
    pub(super) fn losses(&self) -> &Losses {
        &self.losses
    }

    /// What each chunk promises.
    pub(super) fn digests(self) -> Vec<Digest> {
        self.digests
    }

    /// What the batch promises.
    pub(super) fn digest(&self) -> Digest {
        let mut sum = Digest::default();
        for digest in &self.digests {
            sum.add(*digest);
        }
        sum
    }

    /// The products of which seats are missing, and how many.
    pub(super) fn shortages(&self) -> Vec<(ProductId, i64)> {
        let seats = self.progress.tally.seats.iter();
        let short = seats.filter(|(_, seats)| seats.shortage > 0);
        short
            .map(|(product, seats)| (*product, seats.shortage))
            .collect()
    }
}
