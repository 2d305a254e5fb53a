//! What a decision says: the outcome for each user and what it does to seats.

use std::collections::BTreeMap;

use super::{ChoiceId, Held, Order, PlanChoice, ProductId, Reason, Snapshot};

/// The kinds of outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The user's licenses change.
    Applied,
    /// Everything is so already.
    Unchanged,
    /// The user is refused.
    Failed,
    /// Nothing is tried.
    Skipped,
}

/// One assignment that appears, disappears or changes its plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// The product.
    pub product: ProductId,
    /// The choice before; `None` if the user did not hold the product.
    pub before: Option<ChoiceId>,
    /// The choice after; `None` if the user no longer holds the product.
    pub after: Option<ChoiceId>,
}

/// What becomes of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kind.
    pub disposition: Disposition,
    /// What changes. Empty unless applied.
    pub edits: Vec<Edit>,
    /// What the user holds afterwards, by product.
    pub held: Vec<Held>,
    /// Why the user is refused or skipped. Empty if neither, but for what an undo has left alone.
    pub reasons: Vec<Reason>,
}

/// Why the rest of a batch is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As many users have failed as the request allows.
    Failures,
    /// What was previewed is no longer so.
    PlanStale,
    /// A user of an atomic batch has failed.
    RolledBack,
    /// Somebody has cancelled it.
    Cancelled,
    /// Who started it may no longer do so.
    AccessLost,
}

impl Stop {
    /// What a skipped user is told.
    pub fn reason(self) -> Reason {
        match self {
            Self::Failures => Reason::StoppedAfterFailures,
            Self::PlanStale => Reason::PlanStale,
            Self::RolledBack => Reason::BatchRolledBack,
            Self::Cancelled => Reason::BatchCancelled,
            Self::AccessLost => Reason::AccessLost,
        }
    }
}

/// How many seats of a product a batch would need if there were enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Seats that users would hold now and do not, because there were none: negative if they would
    /// have freed some.
    pub unmet: i64,
    /// Seats which, added, leave nobody without; one less leaves somebody.
    pub shortage: i64,
}

/// What becomes of every user of an order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One outcome per turn.
    pub outcomes: Vec<Outcome>,
    /// By how much the assigned seats of each product move.
    pub seat_deltas: BTreeMap<ProductId, i64>,
    /// The demand of the batch up to here, where it is not what there is.
    pub demand: BTreeMap<ProductId, Demand>,
    /// Choices to intern: the first has the number -1 in this plan, the next -2.
    pub new_choices: Vec<PlanChoice>,
    /// Why the users after some turn of this order, and all later ones, are skipped.
    pub stopped: Option<Stop>,
}

impl Plan {
    /// The plan that skips every turn.
    pub fn skip(snapshot: &Snapshot, order: &Order, stop: Stop) -> Self {
        let skipped = order.turns.iter().map(|turn| {
            let user = turn.user.and_then(|id| snapshot.users.get(&id));
            Outcome::skipped(user.map_or(&[], |user| &user.held), stop)
        });
        Self {
            outcomes: skipped.collect(),
            stopped: Some(stop),
            ..Self::default()
        }
    }

    /// How many users had this disposition.
    pub fn count(&self, disposition: Disposition) -> u32 {
        let same = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.disposition == disposition);
        u32::try_from(same.count()).expect("the number of turns is limited")
    }

    /// A choice that an outcome names.
    pub fn choice<'a>(&'a self, snapshot: &'a Snapshot, id: ChoiceId) -> &'a PlanChoice {
        match id.0 {
            number @ ..0 => &self.new_choices[number.unsigned_abs() as usize - 1],
            _ => snapshot
                .choices
                .get(id)
                .expect("choices of the snapshot are known"),
        }
    }
}

impl Outcome {
    pub(super) fn refused(held: &[Held], reasons: Vec<Reason>) -> Self {
        Self {
            disposition: Disposition::Failed,
            edits: Vec::new(),
            held: held.to_vec(),
            reasons,
        }
    }

    pub(super) fn skipped(held: &[Held], stop: Stop) -> Self {
        Self {
            disposition: Disposition::Skipped,
            reasons: vec![stop.reason()],
            ..Self::refused(held, Vec::new())
        }
    }
}
