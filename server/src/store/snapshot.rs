//! Reading what a decision needs: the customer's licenses and the users of an order. Each engine reads
//! in its own idiom.

pub(super) mod postgres;
pub(super) mod sqlite;

use std::sync::Arc;

use super::error::Error;
use super::later_plans::decode_later_plans;
use super::types::Id;
use crate::domain::{Choices, CustomerId, Order, Seats, Snapshot};

/// Reads what a decision about an order needs.
pub(super) trait ReadSnapshot {
    /// The progress is left empty. `choices` are those that are known already.
    async fn snapshot(
        &mut self,
        customer: CustomerId,
        order: &Arc<Order>,
        choices: Choices,
    ) -> Result<Snapshot, Error>;
}

/// Product, seats enabled, warning, suspended and assigned, and what becomes of later plans.
type LicenseRow = (Id, i64, i64, i64, i64, i16);

fn add_license(snapshot: &mut Snapshot, row: LicenseRow) {
    let (product, enabled, warning, suspended, assigned, later) = row;
    let seats = Seats {
        enabled,
        warning,
        suspended,
        assigned,
    };
    snapshot.seats.insert(product.into(), seats);
    if let Some(later) = decode_later_plans(later) {
        snapshot.later_plans.insert(product.into(), later);
    }
}
