//! Seats while an order is decided: as they are, and as they would be if there were always enough.

use std::collections::BTreeMap;

use crate::domain::{Demand, Edit, ProductId, Reason, Seats, Snapshot};

pub(super) struct Ledger {
    seats: BTreeMap<ProductId, Seats>,
    demand: BTreeMap<ProductId, Demand>,
}

impl Ledger {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let carried = snapshot.progress.tally.seats.iter().map(|(id, tally)| {
            let demand = Demand {
                unmet: tally.unmet,
                shortage: tally.shortage,
            };
            (*id, demand)
        });
        Self {
            seats: snapshot.seats.clone(),
            demand: carried.collect(),
        }
    }

    /// Takes and frees the seats of a user against whom nothing else stands, or says why not.
    pub(super) fn serve(&mut self, edits: &[Edit], reasons: &mut Vec<Reason>) {
        self.scarcity(edits, reasons);
        let served = reasons.is_empty();
        for (product, step) in steps(edits) {
            self.step(product, step, served);
        }
        for (product, _) in steps(edits).filter(|(_, step)| *step > 0) {
            self.measure(product, 0);
        }
    }

    /// Says which seats a user would not find who is refused for something else and takes none. They
    /// are missing all the same: with them the user would have one reason less.
    pub(super) fn refuse(&mut self, edits: &[Edit], reasons: &mut Vec<Reason>) {
        for product in self.scarcity(edits, reasons) {
            self.measure(product, 1);
        }
    }

    /// Says which of the seats that a user would take are not there. The products are those whose
    /// seats can be taken at all.
    fn scarcity(&self, edits: &[Edit], reasons: &mut Vec<Reason>) -> Vec<ProductId> {
        let mut wanted = Vec::new();
        for (product, _) in steps(edits).filter(|(_, step)| *step > 0) {
            if let Some(seats) = self.seats.get(&product)
                && !seats.is_suspended()
            {
                wanted.push(product);
                let available = seats.available();
                if available <= 0 {
                    reasons.push(Reason::SeatsExhausted { product, available });
                }
            }
        }
        wanted
    }

    /// Frees the seats of a user, before anybody takes one.
    pub(super) fn free(&mut self, edits: &[Edit]) {
        for (product, _) in steps(edits).filter(|(_, step)| *step < 0) {
            self.step(product, -1, true);
        }
    }

    /// Takes the seats of a user, also those that are not there, but says so.
    pub(super) fn take(&mut self, edits: &[Edit], reasons: &mut Vec<Reason>) {
        self.scarcity(edits, reasons);
        for (product, _) in steps(edits).filter(|(_, step)| *step > 0) {
            self.step(product, 1, true);
            self.measure(product, 0);
        }
    }

    fn step(&mut self, product: ProductId, step: i64, served: bool) {
        if served {
            let seats = self.seats.get_mut(&product);
            seats.expect("an assignment has a license").assigned += step;
        } else {
            self.demand.entry(product).or_default().unmet += step;
        }
    }

    /// Notes how many seats are missing at this turn, with some that nobody takes.
    fn measure(&mut self, product: ProductId, more: i64) {
        let unmet = self.demand.get(&product).map_or(0, |demand| demand.unmet);
        let missing = unmet + more - self.seats[&product].available();
        if missing > 0 {
            let demand = self.demand.entry(product).or_default();
            demand.shortage = demand.shortage.max(missing);
        }
    }

    /// By how much the seats have moved.
    pub(super) fn deltas(&self, snapshot: &Snapshot) -> BTreeMap<ProductId, i64> {
        let moved = self.seats.iter().map(|(&product, seats)| {
            let before = &snapshot.seats[&product];
            (product, seats.assigned - before.assigned)
        });
        moved.filter(|(_, delta)| *delta != 0).collect()
    }

    pub(super) fn demand(self) -> BTreeMap<ProductId, Demand> {
        self.demand
    }
}

/// Products that a user gets (1) or loses (-1).
fn steps(edits: &[Edit]) -> impl Iterator<Item = (ProductId, i64)> + '_ {
    let step = |edit: &Edit| {
        let step = i64::from(edit.after.is_some()) - i64::from(edit.before.is_some());
        (step != 0).then_some((edit.product, step))
    };
    edits.iter().filter_map(step)
}
