//! The rules. No I/O, no clock, no randomness, not async: nothing here can fail for outside reasons.

mod catalogue;
mod change;
mod decide;
mod ids;
mod list;
mod reason;
mod rules;
mod selection;
mod text;

pub use catalogue::{Catalogue, Product, ProductPlan, Rule};
pub use change::{Assign, Change, ChoiceId, Choices, Order, PlanChoice, Turn, UserRef};
pub use decide::{Disposition, Edit, Held, Outcome, Plan, Seats, Snapshot, UserState, decide};
pub use ids::{BatchId, CustomerId, PlanId, ProductId, RequestId, SelectionId, UserId};
pub use list::{Place, UserOrder};
pub use reason::Reason;
pub use selection::{Selection, SelectionPart, UserFilter};
pub use text::{Country, DisplayName, PrincipalName, fold};
