//! What a preview promises, as one number: a plan token carries it, and the real run compares.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{
    Catalogue, Edit, Held, Order, Outcome, Plan, PlanChoice, ProductId, Reason, Snapshot, Turn,
    UserState,
};

/// Sums up what was decided and what about the users decided it. It does not depend on how a batch
/// is cut into chunks or in which order its users are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of one order.
    pub fn of(catalogue: &Catalogue, snapshot: &Snapshot, order: &Order, plan: &Plan) -> Self {
        let mut digest = Self::default();
        let mut writer = Writer {
            catalogue,
            snapshot,
            plan,
            holdings: HashMap::new(),
        };
        for (turn, outcome) in order.turns.iter().zip(&plan.outcomes) {
            digest.add(Self(writer.turn(turn, outcome)));
        }
        digest
    }

    /// Adds another order of the same batch: addition of 256-bit numbers.
    pub fn add(&mut self, other: Self) {
        let mut carry = 0u16;
        for (byte, more) in self.0.iter_mut().zip(other.0) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            *byte = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
    }
}

struct Writer<'a> {
    catalogue: &'a Catalogue,
    snapshot: &'a Snapshot,
    plan: &'a Plan,
    /// Most users share a few.
    holdings: HashMap<Held, [u8; 32]>,
}

impl Writer<'_> {
    fn turn(&mut self, turn: &Turn, outcome: &Outcome) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(turn.index.to_le_bytes());
        let user = turn
            .user
            .and_then(|id| Some((id, self.snapshot.users.get(&id)?)));
        if let Some((id, user)) = user {
            hash.update(id.0.as_bytes());
            self.user(user, &mut hash);
        }
        hash.update([outcome.disposition as u8, outcome.held.len() as u8]);
        for held in &outcome.held {
            hash.update(self.holding(*held));
        }
        for Edit { product, .. } in &outcome.edits {
            hash.update(product.0.as_bytes());
        }
        for reason in &outcome.reasons {
            // Whom one could ask for a prerequisite decides nothing.
            let mut reason = reason.clone();
            if let Reason::PrerequisiteMissing { suppliers, .. } = &mut reason {
                suppliers.clear();
            }
            hash.update(format!("{reason:?}"));
        }
        hash.finalize().into()
    }

    fn user(&mut self, user: &UserState, hash: &mut Sha256) {
        let location = user
            .usage_location
            .map(|country| country.as_str().to_owned());
        hash.update([u8::from(user.active), user.held.len() as u8]);
        hash.update(location.as_deref().unwrap_or("--"));
        for held in &user.held {
            hash.update(self.holding(*held));
        }
    }

    /// A product with its choice and the plans that are on.
    fn holding(&mut self, held: Held) -> [u8; 32] {
        if let Some(known) = self.holdings.get(&held) {
            return *known;
        }
        let choice = self.plan.choice(self.snapshot, held.choice);
        let known = self.hash_holding(held.product, choice);
        self.holdings.insert(held, known);
        known
    }

    fn hash_holding(&self, product: ProductId, choice: &PlanChoice) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(product.0.as_bytes());
        hash.update([u8::from(matches!(choice, PlanChoice::Only(_)))]);
        hash.update((choice.plans().len() as u64).to_le_bytes());
        for plan in choice.plans() {
            hash.update(plan.0.as_bytes());
        }
        if let Some(product) = self.catalogue.product(product) {
            for plan in self.catalogue.effective_plans(product, choice) {
                hash.update(plan.0.as_bytes());
            }
        }
        hash.finalize().into()
    }
}
