//! The rules of the model, so that each can be turned off.

/// A rule of the model. Without any one of them the model is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A new product takes a seat that is free.
    SeatCheck,
    /// A seat freed earlier in the batch serves users later in it.
    FreedSeat,
    /// A license in grace has seats.
    WarningSeats,
    Exclusion,
    Prerequisite,
    Dependent,
    LocationMissing,
    LocationProhibited,
    Inactive,
    ForCompany,
    Suspended,
    NotLicensed,
    UserNotFound,
    /// All reasons are told, not the first.
    AllReasons,
    /// Who is refused is as before.
    WholeUser,
    /// A delta starts from the choice that the user has.
    DeltaBase,
    /// Who holds a product keeps its choice when it is assigned again without one.
    KeepChoice,
    /// A replacement leaves who does not hold the product alone.
    ReplaceWhereHeld,
    /// A replacement carries the plans that both products have.
    ReplaceCarry,
    /// A named or kept product is no other product.
    RevokeOthersKeep,
    /// The batch stops after so many failures, not one later.
    StopCount,
    /// A seat that any user of an atomic batch frees is there for every other.
    AtomicNet,
    /// A refused user rolls an atomic batch back.
    RollBack,
    /// The shortage counts all seats that are missing, not users who failed.
    Shortage,
}

impl Rule {
    pub(crate) const ALL: [Self; 24] = [
        Self::SeatCheck,
        Self::FreedSeat,
        Self::WarningSeats,
        Self::Exclusion,
        Self::Prerequisite,
        Self::Dependent,
        Self::LocationMissing,
        Self::LocationProhibited,
        Self::Inactive,
        Self::ForCompany,
        Self::Suspended,
        Self::NotLicensed,
        Self::UserNotFound,
        Self::AllReasons,
        Self::WholeUser,
        Self::DeltaBase,
        Self::KeepChoice,
        Self::ReplaceWhereHeld,
        Self::ReplaceCarry,
        Self::RevokeOthersKeep,
        Self::StopCount,
        Self::AtomicNet,
        Self::RollBack,
        Self::Shortage,
    ];
}
