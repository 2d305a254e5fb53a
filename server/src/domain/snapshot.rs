//! What is so when a batch is decided: users, what they hold, and what the customer owns.

use std::collections::{BTreeMap, HashMap};

use super::catalogue::LaterPlans;
use super::{BatchId, ChoiceId, Choices, Country, ProductId, Progress, UserId};

/// What a customer owns of one product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// Paid and in use.
    pub enabled: i64,
    /// Expired and in grace, still assignable.
    pub warning: i64,
    /// Cancelled.
    pub suspended: i64,
    /// Held by users.
    pub assigned: i64,
}

impl Seats {
    /// Seats that can be assigned.
    pub fn assignable(&self) -> i64 {
        self.enabled + self.warning
    }

    /// Seats that are free; negative after a cut.
    pub fn available(&self) -> i64 {
        self.assignable() - self.assigned
    }

    /// True if nothing can be assigned because what there is was cancelled.
    pub fn is_suspended(&self) -> bool {
        self.assignable() == 0 && self.suspended > 0
    }
}

/// A product that a user holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The product.
    pub product: ProductId,
    /// The choice of its plans.
    pub choice: ChoiceId,
}

/// A user as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    /// Sign-in name.
    pub principal_name: String,
    /// Name for people.
    pub display_name: String,
    /// Where the user works, if known.
    pub usage_location: Option<Country>,
    /// False if nothing new may be given.
    pub active: bool,
    /// What the user holds, by product.
    pub held: Vec<Held>,
    /// Which batch changed a product last, if the order would undo what an earlier one did and that is
    /// known.
    pub changers: Vec<(ProductId, BatchId)>,
}

impl UserState {
    /// The choice of the product's plans, if the user holds it.
    pub fn choice(&self, product: ProductId) -> Option<ChoiceId> {
        let place = self
            .held
            .binary_search_by_key(&product, |held| held.product);
        place.ok().map(|place| self.held[place].choice)
    }
}

/// What is so, read under the customer's lock or, for a preview, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Seats of every license of the customer.
    pub seats: BTreeMap<ProductId, Seats>,
    /// What the customer decided about plans added later, where it differs from the product's own.
    pub later_plans: BTreeMap<ProductId, LaterPlans>,
    /// The users of the order that exist.
    pub users: HashMap<UserId, UserState>,
    /// The plan choices that the users' holdings and the order's undos refer to, at least.
    pub choices: Choices,
    /// What the batch has done before this order.
    pub progress: Progress,
}
