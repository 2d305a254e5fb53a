//! Reading what a decision needs: the customer's licenses and the users of an order. Each engine reads
//! in its own idiom.

pub(super) mod postgres;
pub(super) mod sqlite;

use std::sync::Arc;

use super::codec::decode_edits;
use super::error::Error;
use super::later_plans::decode_later_plans;
use super::types::Id;
use crate::domain::{BatchId, Choices, CustomerId, Order, ProductId, Seats, Snapshot, UserId};

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

/// The choices that a decision about the order can name and that are not known yet, each once.
fn missing_choices(snapshot: &Snapshot, order: &Order) -> Vec<i32> {
    let held = snapshot.users.values().flat_map(|user| &user.held);
    let undos = order.changes.iter().flat_map(|change| &change.undo);
    let restored = undos.flat_map(|undo| undo.edits.iter().filter_map(|edit| edit.before));
    let named = held.map(|held| held.choice).chain(restored);
    let mut missing: Vec<i32> = named
        .filter(|choice| snapshot.choices.get(*choice).is_none())
        .map(|choice| choice.0)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// The batch of a user's change, and what it did.
type Changed = (Option<Id>, Vec<u8>);

/// Changes of a user that are looked through for who made the last one of a product.
const CHANGERS_SOUGHT: i64 = 32;

/// Users of whom others have changed what the order would undo, with the products.
fn changed_since(snapshot: &Snapshot, order: &Order) -> Vec<(UserId, Vec<ProductId>)> {
    let changed = order.turns.iter().filter_map(|turn| {
        let undo = order.changes[turn.change as usize].undo.as_ref()?;
        let id = turn.user?;
        let products = undo.changed_since(snapshot.users.get(&id)?);
        (!products.is_empty()).then_some((id, products))
    });
    changed.collect()
}

/// Notes who made the last change of each product, from a user's changes, the newest first.
fn add_changers(
    snapshot: &mut Snapshot,
    user: UserId,
    products: &[ProductId],
    changes: &[Changed],
) -> Result<(), Error> {
    let Some(user) = snapshot.users.get_mut(&user) else {
        return Ok(());
    };
    let mut open = products.to_vec();
    for (batch, edits) in changes {
        for edit in decode_edits(edits)? {
            if let Some(place) = open.iter().position(|product| *product == edit.product) {
                open.swap_remove(place);
                let changer = batch.map(|batch| (edit.product, BatchId::from(batch)));
                user.changers.extend(changer);
            }
        }
    }
    Ok(())
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
