//! Seats before and after a batch, in words.

use seatwise_client::v1::{SeatChange, SeatCount};

use crate::layout::Layout;
use crate::names::product_name;
use crate::text::text;

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
            name(change),
            moved(SeatCount::total),
            moved(SeatCount::assigned),
            moved(SeatCount::available),
        ]
    };
    let rows = seats.iter().map(row).collect();
    let headers = [
        text!("seats-product"),
        text!("seats-total"),
        text!("seats-assigned"),
        text!("seats-available"),
    ];
    let headers = headers.each_ref().map(String::as_str);
    Layout::of_terminal().block(&headers, rows)
}

/// What is missing, a line per product.
pub(crate) fn shortages(seats: &[SeatChange]) -> impl Iterator<Item = String> {
    let short = seats.iter().filter(|change| change.shortage() > 0);
    short.map(|change| {
        text!(
            "seats-missing",
            count = change.shortage(),
            product = name(change)
        )
    })
}

fn name(change: &SeatChange) -> String {
    change
        .product
        .as_ref()
        .map(product_name)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use seatwise_client::v1::ProductRef;

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
