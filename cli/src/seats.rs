//! Seats before and after a batch, in words.

use std::collections::HashMap;

use seatwise_client::v1::{ProductRef, SeatChange, SeatCount};

use crate::layout::Layout;
use crate::output::count;

/// A row per product. What does not change is said once.
pub(crate) fn table(seats: &[SeatChange]) -> String {
    let row = |change: &SeatChange| {
        let moved = |number: fn(&SeatCount) -> i32| {
            let number = |count: &Option<SeatCount>| number(&count.unwrap_or_default());
            match (number(&change.before), number(&change.after)) {
                (before, after) if before == after => after.to_string(),
                (before, after) => format!("{before} → {after}"),
            }
        };
        vec![
            name(change.product.as_ref()).to_owned(),
            moved(SeatCount::total),
            moved(SeatCount::assigned),
            moved(SeatCount::available),
        ]
    };
    let rows = seats.iter().map(row).collect();
    Layout::default().block(&["product", "seats", "assigned", "available"], rows)
}

/// What is missing, a line per product.
pub(crate) fn shortages(seats: &[SeatChange]) -> impl Iterator<Item = String> {
    let short = seats.iter().filter(|change| change.shortage() > 0);
    short.map(|change| {
        let noun = if change.shortage() == 1 {
            "seat"
        } else {
            "seats"
        };
        let product = name(change.product.as_ref());
        format!("{} {noun} of {product} missing", count(change.shortage()))
    })
}

/// The names of the products by id.
pub(crate) fn names(seats: &[SeatChange]) -> HashMap<String, String> {
    let products = seats.iter().filter_map(|change| change.product.as_ref());
    let named =
        products.map(|product| (product.product_id.clone(), name(Some(product)).to_owned()));
    named.collect()
}

/// The name for people, or the id.
fn name(product: Option<&ProductRef>) -> &str {
    product.map_or("", |product| match product.display_name.as_str() {
        "" => &product.product_id,
        name => name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(assigned: i32) -> Option<SeatCount> {
        Some(SeatCount {
            total: Some(25),
            assigned: Some(assigned),
            available: Some(25 - assigned),
        })
    }

    #[test]
    fn seats_are_shown_before_and_after_with_what_is_missing() {
        let change = |product_id: &str, display_name: &str, after, shortage| SeatChange {
            product: Some(ProductRef {
                product_id: product_id.to_owned(),
                display_name: display_name.to_owned(),
            }),
            before: seats(22),
            after: seats(after),
            shortage: Some(shortage),
        };
        let seats = [change("1", "Office 365 E3", 25, 3), change("2", "", 22, 0)];
        assert_eq!(
            table(&seats),
            "product        seats  assigned  available\n\
             Office 365 E3     25  22 → 25   3 → 0\n\
             2                 25  22        3"
        );
        let missing: Vec<_> = shortages(&seats).collect();
        assert_eq!(missing, ["3 seats of Office 365 E3 missing"]);
    }
}
