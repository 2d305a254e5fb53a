//! What is only done when the numbers that it comes to are confirmed.

use seatwise_proto::v1::ErrorReason;
use tonic::Status;

use super::status::{name, refuse};
use crate::domain::{Catalogue, Losses, ProductId};

/// The batch would take away more than may be taken unasked.
pub(super) fn confirmation_required(
    catalogue: &Catalogue,
    losses: &Losses,
    confirmation: String,
) -> Status {
    let share = |(_, (lost, held)): &(&ProductId, &(u64, u64))| *lost * 1_000_000 / (*held).max(1);
    let most = losses.products.iter().max_by_key(share);
    let (product, (lost, held)) = most.expect("who loses something loses a product");
    let (users, name) = (losses.users, name(catalogue, *product));
    let message = format!(
        "{users} users would lose a product, {lost} of the {held} holders of {name} among them; \
         look at the preview, and send the confirmation to carry it out"
    );
    let metadata = [
        ("users", users.to_string()),
        ("productId", product.to_string()),
        ("product", name),
        ("lost", lost.to_string()),
        ("held", held.to_string()),
        ("confirmation", confirmation),
    ];
    refuse(ErrorReason::ConfirmationRequired, message, &metadata)
}

/// Fewer seats would be left than are assigned.
pub(super) fn seats_below_assigned(
    product: ProductId,
    assigned: i64,
    assignable: i64,
    confirmation: String,
) -> Status {
    let message = format!(
        "{assigned} seats are assigned and only {assignable} would be left; revoke some first, or \
         send the confirmation to set them all the same"
    );
    let metadata = [
        ("productId", product.to_string()),
        ("assigned", assigned.to_string()),
        ("assignable", assignable.to_string()),
        ("confirmation", confirmation),
    ];
    refuse(ErrorReason::SeatsBelowAssigned, message, &metadata)
}
