//! An aggregate function for SQLite, whose `GROUP BY` sorts all rows first and takes three times as
//! long.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer};
use diesel::sqlite::{SqliteAggregateFunction, SqliteConnection};
use uuid::Uuid;

use super::types::Id;

/// Bytes of a product, a choice and their count.
const ROW_BYTES: usize = 16 + 4 + 8;

#[declare_sql_function]
extern "SQL" {
    /// Counts how often each product comes with each choice; the rows are one blob.
    #[aggregate]
    fn tally(product_id: Binary, choice_id: Integer) -> Binary;
}

#[derive(Default)]
struct Tally(HashMap<([u8; 16], i32), i64>);

impl SqliteAggregateFunction<(Vec<u8>, i32)> for Tally {
    type Output = Vec<u8>;

    fn step(&mut self, (product, choice): (Vec<u8>, i32)) {
        let product = product.try_into().expect("an id has 16 bytes");
        *self.0.entry((product, choice)).or_default() += 1;
    }

    fn finalize(tally: Option<Self>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for ((product, choice), count) in tally.unwrap_or_default().0 {
            bytes.extend(product);
            bytes.extend(choice.to_le_bytes());
            bytes.extend(count.to_le_bytes());
        }
        bytes
    }
}

/// Makes the function known to a connection.
pub(super) fn register(conn: &mut SqliteConnection) -> QueryResult<()> {
    tally_utils::register_impl::<Tally, _, _>(conn)
}

/// Reads what the function has returned.
pub(super) fn decode(bytes: &[u8]) -> Vec<(Id, i32, i64)> {
    let row = |row: &[u8]| {
        let (product, rest) = row.split_at(16);
        let (choice, count) = rest.split_at(4);
        let product = Id(Uuid::from_slice(product).expect("16 bytes"));
        let choice = i32::from_le_bytes(choice.try_into().expect("4 bytes"));
        (
            product,
            choice,
            i64::from_le_bytes(count.try_into().expect("8 bytes")),
        )
    };
    bytes.chunks_exact(ROW_BYTES).map(row).collect()
}
