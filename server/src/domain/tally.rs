//! What a batch has done so far, kept with it from chunk to chunk: enough to go on after a crash and
//! to sum up at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::{Disposition, Order, Plan, ProductId, Seats, Snapshot, Stop};

/// What a batch has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Users who failed.
    pub failed: u64,
    /// Why the rest is skipped.
    pub stopped: Option<Stop>,
    /// The sums.
    pub tally: Tally,
}

impl Progress {
    /// Adds what was decided about an order.
    pub fn add(&mut self, snapshot: &Snapshot, order: &Order, plan: &Plan) {
        self.failed += u64::from(plan.count(Disposition::Failed));
        self.stopped = self.stopped.or(plan.stopped);
        self.tally.add(snapshot, order, plan);
    }
}

/// Sums of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The products that the batch named or moved, or would have moved with enough seats.
    pub seats: BTreeMap<ProductId, SeatTally>,
    /// How many users have each reason, by its code.
    pub reasons: BTreeMap<String, u64>,
}

/// Seats of one product over a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatTally {
    /// Before the first chunk that names the product.
    pub before: Seats,
    /// After the last one so far.
    pub after: Seats,
    /// As in [`super::Demand`].
    pub unmet: i64,
    /// As in [`super::Demand`].
    pub shortage: i64,
}

impl Tally {
    fn add(&mut self, snapshot: &Snapshot, order: &Order, plan: &Plan) {
        let named = order.changes.iter().flat_map(|change| change.products());
        let moved = plan.seat_deltas.keys().copied();
        // Also those that only a user who found no seat would have given up: later orders need it.
        let wanted = plan.demand.keys().copied();
        let products: BTreeSet<ProductId> = named.chain(moved).chain(wanted).collect();
        for product in products {
            let Some(&seats) = snapshot.seats.get(&product) else {
                continue;
            };
            let tally = self.seats.entry(product).or_insert(SeatTally {
                before: seats,
                ..SeatTally::default()
            });
            tally.after = seats;
            tally.after.assigned += plan.seat_deltas.get(&product).copied().unwrap_or(0);
        }
        for (product, demand) in &plan.demand {
            if let Some(tally) = self.seats.get_mut(product) {
                tally.unmet = demand.unmet;
                tally.shortage = demand.shortage;
            }
        }
        for outcome in &plan.outcomes {
            let codes: BTreeSet<_> = outcome.reasons.iter().map(|reason| reason.code()).collect();
            for code in codes {
                match self.reasons.get_mut(code) {
                    Some(count) => *count += 1,
                    None => drop(self.reasons.insert(code.to_owned(), 1)),
                }
            }
        }
    }
}
