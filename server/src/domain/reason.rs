//! Everything that can be said against a user's change. A refusal is data, not an error.

use super::{BatchId, Country, PlanId, ProductId};

/// Why a user was refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
        /// Products that have such a plan and that the customer has a license of: the first ones.
        suppliers: Vec<ProductId>,
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
    /// As many users failed before as the request allows.
    StoppedAfterFailures,
    /// Another user of an atomic batch failed.
    BatchRolledBack,
    /// What was previewed was no longer so.
    PlanStale,
    /// The batch was cancelled before the user's turn.
    BatchCancelled,
    /// Who started the batch had lost the right to before the user's turn.
    AccessLost,
    /// The product is not as the batch left it that is to be undone.
    ChangedSince {
        /// The product.
        product: ProductId,
        /// The batch that changed it last, if that is known.
        by: Option<BatchId>,
    },
}

impl Reason {
    /// The stable name of the reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SeatsExhausted { .. } => "SEATS_EXHAUSTED",
            Self::MutuallyExclusivePlans { .. } => "MUTUALLY_EXCLUSIVE_PLANS",
            Self::PrerequisiteMissing { .. } => "PREREQUISITE_MISSING",
            Self::DependentPlanRemains { .. } => "DEPENDENT_PLAN_REMAINS",
            Self::UsageLocationMissing => "USAGE_LOCATION_MISSING",
            Self::UsageLocationProhibited { .. } => "USAGE_LOCATION_PROHIBITED",
            Self::ProductNotLicensed { .. } => "PRODUCT_NOT_LICENSED",
            Self::ProductNotForUsers { .. } => "PRODUCT_NOT_FOR_USERS",
            Self::LicenseSuspended { .. } => "LICENSE_SUSPENDED",
            Self::PlanNotInProduct { .. } => "PLAN_NOT_IN_PRODUCT",
            Self::UserNotFound => "USER_NOT_FOUND",
            Self::UserInactive => "USER_INACTIVE",
            Self::StoppedAfterFailures => "STOPPED_AFTER_FAILURES",
            Self::BatchRolledBack => "BATCH_ROLLED_BACK",
            Self::PlanStale => "PLAN_STALE",
            Self::BatchCancelled => "BATCH_CANCELLED",
            Self::AccessLost => "ACCESS_LOST",
            Self::ChangedSince { .. } => "CHANGED_SINCE",
        }
    }

    /// True if the same request may succeed another time. What stands against it is then about seats,
    /// the license, or what the user is and holds, all of which change without the request; and who was
    /// skipped has not been tried. It cannot if the catalogue rules it out, or if only another request
    /// could do it.
    pub fn is_retryable(&self) -> bool {
        match self {
            // Bought, or freed by others.
            Self::SeatsExhausted { .. }
            | Self::ProductNotLicensed { .. }
            | Self::LicenseSuspended { .. }
            // Other calls change what the user holds beside it, and complete the user.
            | Self::MutuallyExclusivePlans { .. }
            | Self::PrerequisiteMissing { .. }
            | Self::DependentPlanRemains { .. }
            | Self::UsageLocationMissing
            | Self::UserNotFound
            | Self::UserInactive
            // Not tried.
            | Self::StoppedAfterFailures
            | Self::BatchRolledBack
            | Self::PlanStale
            | Self::BatchCancelled
            | Self::AccessLost => true,
            // So says the catalogue, of this user.
            Self::UsageLocationProhibited { .. }
            | Self::ProductNotForUsers { .. }
            | Self::PlanNotInProduct { .. }
            // A request for the safe part could do something; this one cannot.
            | Self::ChangedSince { .. } => false,
        }
    }
}
