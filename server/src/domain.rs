//! The rules. No I/O, no clock, no randomness, not async: nothing here can fail for outside reasons.

mod access;
mod catalogue;
mod change;
mod compliance;
mod decide;
mod digest;
mod directory;
mod guard;
mod ids;
mod journal;
mod list;
mod plan;
mod reason;
mod rules;
mod secret;
mod selection;
mod snapshot;
mod tally;
mod text;
mod undo;

pub use access::{Caller, Customers, Denied, Grant, Role, Roles, Scope};
pub use catalogue::{Catalogue, LaterPlans, NewProduct, Product, ProductPlan, Rule};
pub use change::{
    Assign, Change, ChoiceId, Choices, Order, PlanChoice, PlanEdit, Replace, Terms, Turn, UserRef,
};
pub use compliance::{Compliance, Violation, ViolationFilter};
pub use decide::decide;
pub use digest::Digest;
pub use directory::{AccessChange, Directory, Forbidden, Key, Principal, PrincipalKind};
pub use guard::{Guard, Losses};
pub use ids::{
    BatchId, CustomerId, GrantId, KeyId, PlanId, PrincipalId, ProductId, RequestId, SelectionId,
    UserId,
};
pub use journal::{
    ANONYMOUS, AccessRecord, CatalogueRecord, Comment, Commit, Cut, INSTALLATION, Moved, Origin,
    Record, RecordKind, SeatsSet, UserFields, hash_record,
};
pub use list::{Place, UserOrder};
pub use plan::{Demand, Disposition, Edit, Outcome, Plan, Stop};
pub use reason::Reason;
pub use secret::{KEY_PREFIX, Secret};
pub use selection::{Selection, SelectionPart, UserFilter};
pub use snapshot::{Held, Seats, Snapshot, UserState};
pub use tally::{Progress, SeatTally, Tally};
pub use text::{Country, DisplayName, PrincipalName, fold};
pub use undo::Undo;
