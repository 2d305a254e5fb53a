//! Everything that can be said against a user's change. A refusal is data, not an error.

use super::{Country, PlanId, ProductId};

/// Why a user was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No seat was free at the user's turn.
    SeatsExhausted {
        /// The product without a seat.
        product: ProductId,
        /// Seats available then, zero or negative.
        available: i64,
    },
    /// `plan` and each of `others` would be on together.
    MutuallyExclusivePlans {
        /// One side.
        plan: PlanId,
        /// The other side.
        others: Vec<PlanId>,
    },
    /// `plan` would be turned on without any of `any_of`.
    PrerequisiteMissing {
        /// The plan in need.
        plan: PlanId,
        /// What would do.
        any_of: Vec<PlanId>,
    },
    /// `plan` was on before and would lose the last of `any_of`.
    DependentPlanRemains {
        /// The plan in need.
        plan: PlanId,
        /// What would do.
        any_of: Vec<PlanId>,
    },
    /// The user has no usage location and would hold a new product.
    UsageLocationMissing,
    /// `plan` would be turned on where it is prohibited.
    UsageLocationProhibited {
        /// The plan.
        plan: PlanId,
        /// The user's location.
        country: Country,
    },
    /// The customer has no license of the product.
    ProductNotLicensed {
        /// The product.
        product: ProductId,
    },
    /// The product is for the company as a whole.
    ProductNotForUsers {
        /// The product.
        product: ProductId,
    },
    /// No seat is enabled or in grace, and some are suspended.
    LicenseSuspended {
        /// The product.
        product: ProductId,
    },
    /// The product has lost the plan since the batch was accepted.
    PlanNotInProduct {
        /// The product.
        product: ProductId,
        /// The plan.
        plan: PlanId,
    },
    /// There is no such user, or not any more.
    UserNotFound,
    /// The user is inactive and would get something new.
    UserInactive,
}
