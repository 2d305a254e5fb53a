//! What can go wrong in the store, and the one place that reads database errors.
//!
//! Diesel does not pass on the SQLSTATE, so several conditions are told apart by their text, which
//! is why connections are opened with untranslated messages.

use diesel::result::{DatabaseErrorKind as Kind, Error as Diesel};

use super::types::Timestamp;
use crate::domain::{BatchId, Forbidden, Guard, Losses, PlanId, ProductId};

/// Why a store call did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be done as things are; nothing was written.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Another transaction was in the way; nothing was written, try again.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The database is out of reach. A write may or may not have been done.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// The database answered something that it never should: a defect.
    #[error("database error: {0}")]
    Broken(String),
}

/// Why a request cannot be done as things are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing, or it is another customer's.
    #[error("{resource} {id} not found")]
    NotFound {
        /// What kind of thing.
        resource: &'static str,
        /// The id or name that was asked for.
        id: String,
    },
    /// The value of `field` is taken.
    #[error("{resource} exists: {field}")]
    Exists {
        /// What kind of thing.
        resource: &'static str,
        /// The field whose value is taken.
        field: &'static str,
    },
    /// Somebody else changed the thing in between.
    #[error("{resource} {id} is at version {version}")]
    VersionMismatch {
        /// What kind of thing.
        resource: &'static str,
        /// Its id.
        id: String,
        /// Its version now.
        version: i64,
    },
    /// A cut below what is assigned that was not confirmed with these numbers.
    #[error("{assigned} seats of {product} are assigned, more than {assignable}")]
    SeatsBelowAssigned {
        /// The product.
        product: ProductId,
        /// Seats assigned.
        assigned: i64,
        /// Seats that would be assignable.
        assignable: i64,
    },
    /// Two places of a request name one user.
    #[error("users {first} and {second} are the same")]
    DuplicateUser {
        /// The first place.
        first: u32,
        /// The second place.
        second: u32,
    },
    /// Two places of one part of a selection name one user.
    #[error("users {first} and {second} of {part} are the same")]
    SelectedTwice {
        /// The part, as `parts[0]`.
        part: String,
        /// The first place.
        first: u32,
        /// The second place.
        second: u32,
    },
    /// A selection has more users than one can have, or leaves more out.
    #[error("more than {max} users are selected")]
    TooManySelected {
        /// So many are allowed.
        max: usize,
    },
    /// The customer keeps as many frozen selections as it can.
    #[error("{max} selections are kept")]
    TooManySelections {
        /// So many are allowed.
        max: i64,
    },
    /// The request turns on a plan that its product no longer has.
    #[error("{product} no longer has the plan {plan}")]
    PlanRetired {
        /// Where the request names the plan.
        field: String,
        /// The product.
        product: ProductId,
        /// The plan.
        plan: PlanId,
    },
    /// More users than a request of this kind may have.
    #[error("{given} users, more than {max}")]
    TooManyUsers {
        /// How many there are.
        given: usize,
        /// How many there may be.
        max: usize,
    },
    /// The request would do something else now than its preview showed.
    #[error("the plan is stale")]
    PlanStale,
    /// The reader of a preview was slower than its moment can be kept.
    #[error("the reader of a preview was too slow")]
    ReaderTooSlow,
    /// So many seats of these products are missing.
    #[error("seats of {} products are short", .0.len())]
    SeatsShort(Vec<(ProductId, i64)>),
    /// The batch is to be reverted or retried, and not every user of it has a result yet.
    #[error("batch {0} is running")]
    BatchRunning(BatchId),
    /// The results of the batch are no longer kept.
    #[error("results of batch {0} are pruned")]
    ResultsPruned(BatchId),
    /// The history up to this place is no longer kept.
    #[error("history up to {position} is pruned")]
    HistoryPruned {
        /// Position of the last commit that is gone.
        position: i64,
        /// When it was committed.
        at: Timestamp,
    },
    /// The rules of the directory stand against it.
    #[error("forbidden: {0:?}")]
    Forbidden(Forbidden),
    /// The batch would take away more than the customer's guard allows unasked.
    #[error("{} users would lose a product", .0.losses.users)]
    Unconfirmed(Box<Unconfirmed>),
    /// Changes that were to be watched are no longer kept.
    #[error("what follows is kept only from position {oldest} on")]
    ChangesPruned {
        /// The first position after which nothing is missing.
        oldest: i64,
    },
    /// A watch was to begin where the journal, as it is in this database, has never been.
    #[error("the journal never came so far")]
    BeyondJournal,
    /// The request id belongs to a different request.
    #[error("request id was used for another request")]
    RequestIdReused,
}

/// What somebody has to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed {
    /// What the batch would take away.
    pub losses: Losses,
    /// How much may be taken away unasked.
    pub guard: Guard,
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        let text = error.to_string();
        match error {
            Diesel::DatabaseError(Kind::SerializationFailure, _) => Self::Conflict(text),
            Diesel::DatabaseError(
                Kind::UnableToSendCommand | Kind::ClosedConnection | Kind::ReadOnlyTransaction,
                _,
            ) => Self::Unavailable(text),
            Diesel::DatabaseError(Kind::Unknown, _) => from_text(text),
            _ => Self::Broken(text),
        }
    }
}

fn from_text(text: String) -> Error {
    const CONFLICTS: [&str; 5] = [
        "deadlock detected",
        "distributed deadlock",
        "due to lock timeout",
        "database is locked",
        "database table is locked",
    ];
    const OUTAGES: [&str; 9] = [
        "due to statement timeout",
        "due to idle-in-transaction",
        "terminating connection",
        "the database system is",
        "connection to the remote node",
        "too many clients",
        "could not extend file",
        "disk I/O error",
        "database or disk is full",
    ];
    if CONFLICTS.iter().any(|conflict| text.contains(conflict)) {
        Error::Conflict(text)
    } else if OUTAGES.iter().any(|outage| text.contains(outage)) {
        Error::Unavailable(text)
    } else {
        Error::Broken(text)
    }
}

/// An error of a pool or of opening a connection.
pub(super) fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

/// A write that touched another number of rows than it was meant to rolls everything back.
pub(super) fn expect_rows(what: &str, expected: usize, written: usize) -> Result<(), Error> {
    if expected == written {
        return Ok(());
    }
    Err(Error::Broken(format!(
        "{what}: {written} rows written instead of {expected}"
    )))
}

/// Says whether an error is a value that must be unique and is not.
pub(super) fn is_duplicate(error: &Diesel) -> bool {
    matches!(error, Diesel::DatabaseError(Kind::UniqueViolation, _))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_errors_are_told_apart() {
        let error =
            |kind, text: &str| Error::from(Diesel::DatabaseError(kind, Box::new(text.to_owned())));
        for (kind, text) in [
            (Kind::SerializationFailure, "could not serialize access"),
            (Kind::Unknown, "deadlock detected"),
            (Kind::Unknown, "canceling statement due to lock timeout"),
            (Kind::Unknown, "database is locked"),
        ] {
            assert!(matches!(error(kind, text), Error::Conflict(_)), "{text}");
        }
        for (kind, text) in [
            (Kind::UnableToSendCommand, "connection closed"),
            (Kind::ClosedConnection, "connection closed"),
            (
                Kind::ReadOnlyTransaction,
                "cannot execute UPDATE in a read-only transaction",
            ),
            (
                Kind::Unknown,
                "canceling statement due to statement timeout",
            ),
            (Kind::Unknown, "the database system is shutting down"),
            (Kind::Unknown, "disk I/O error"),
        ] {
            assert!(matches!(error(kind, text), Error::Unavailable(_)), "{text}");
        }
        for (kind, text) in [
            (Kind::Unknown, "column \"x\" does not exist"),
            (Kind::UniqueViolation, "duplicate key"),
            (Kind::CheckViolation, "violates check constraint"),
        ] {
            assert!(matches!(error(kind, text), Error::Broken(_)), "{text}");
        }
        assert!(matches!(Error::from(Diesel::NotFound), Error::Broken(_)));
    }
}
