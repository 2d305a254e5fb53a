//! Which users a call is about, parsed: lists, filters, frozen selections, violators, and unions of them.

use super::{BatchId, Country, PlanId, ProductId, SelectionId, UserRef, ViolationFilter};

/// Conditions on users, all of which must hold; `None` is met by every user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UserFilter {
    /// The folded display name or the principal key begins with this text, which is folded, too.
    pub search: Option<String>,
    /// Active or inactive.
    pub active: Option<bool>,
    /// The usage location; `Some(None)` is "not known".
    pub usage_location: Option<Option<Country>>,
    /// A product that the user holds.
    pub holds_product: Option<ProductId>,
    /// A product that the user does not hold.
    pub lacks_product: Option<ProductId>,
    /// A plan that is on for the user, in whichever product.
    pub holds_plan: Option<PlanId>,
    /// A batch in which the user has failed.
    pub failed_in: Option<BatchId>,
    /// Last active before this time, in microseconds since 1970, or not known to have been active.
    pub not_active_since: Option<i64>,
}

/// Users, said in one of four ways.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SelectionPart {
    /// These, in this order; none twice.
    Users(Vec<UserRef>),
    /// Every user who meets the filter, by display name and id.
    Filter(UserFilter),
    /// The users of a frozen selection, in its order.
    Frozen(SelectionId),
    /// Every user with a violation that meets the filter, by id.
    Violating(ViolationFilter),
}

/// All users of `parts`, each at its first place, without those of `except`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    /// What is selected. At least one part.
    pub parts: Vec<SelectionPart>,
    /// What is left out.
    pub except: Vec<SelectionPart>,
}
