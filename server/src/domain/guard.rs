//! The guard of a customer: how much a batch may take away before somebody has to confirm it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{Change, Plan, ProductId, Seats};

/// How much a batch may take away unasked; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Users who lose a product.
    pub users: Option<u32>,
    /// Users who lose a product, in percent of those who hold it.
    pub percent: Option<u32>,
}

/// What a batch takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Users who lose a product, also if they get another for it.
    pub users: u64,
    /// Of each product, how many lose it and how many held it before the batch.
    pub products: BTreeMap<ProductId, (u64, u64)>,
}

impl Guard {
    /// True if the batch must be confirmed.
    pub fn is_exceeded(&self, losses: &Losses) -> bool {
        let is_many = self.users.is_some_and(|max| losses.users > max.into());
        is_many || losses.products.values().any(|loss| self.is_much(*loss))
    }

    /// True if so many of a product's holders are more than the percentage.
    pub fn is_much(&self, (lost, held): (u64, u64)) -> bool {
        self.percent
            .is_some_and(|percent| lost * 100 > held * u64::from(percent))
    }

    /// True if the changes, made to so many users, could exceed it: then what they do has to be
    /// known before the batch is accepted.
    pub fn may_be_exceeded(
        &self,
        changes: &[Change],
        users: usize,
        seats: &BTreeMap<ProductId, Seats>,
    ) -> bool {
        let mut most = Losses::default();
        for (product, seats) in seats {
            let held = seats.assigned.cast_unsigned();
            if held > 0 && changes.iter().any(|change| change.can_take(*product)) {
                most.products
                    .insert(*product, (held.min(users as u64), held));
            }
        }
        let holders: u64 = most.products.values().map(|(lost, _)| lost).sum();
        most.users = holders.min(users as u64);
        self.is_exceeded(&most)
    }
}

impl Losses {
    /// Adds what a plan takes away. `seats` are those before the batch.
    pub fn add(&mut self, plan: &Plan, seats: &BTreeMap<ProductId, Seats>) {
        for outcome in &plan.outcomes {
            let lost = outcome.edits.iter().filter(|edit| edit.after.is_none());
            let mut is_user = false;
            for edit in lost {
                is_user = true;
                let held = || seats.get(&edit.product).map_or(0, |seats| seats.assigned);
                let loss = self.products.entry(edit.product);
                loss.or_insert_with(|| (0, held().cast_unsigned())).0 += 1;
            }
            self.users += u64::from(is_user);
        }
    }

    /// Tells losses apart: what somebody has confirmed is what they were shown.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.users.to_le_bytes());
        for (product, (lost, held)) in &self.products {
            hash.update(product.0.as_bytes());
            hash.update(lost.to_le_bytes());
            hash.update(held.to_le_bytes());
        }
        hash.finalize().into()
    }
}
