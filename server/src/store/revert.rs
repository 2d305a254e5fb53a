//! The users of a batch that takes another one back: those whom it changed, in the order in which it
//! did, each with what was done to them. Most share a few changes, which are kept once.

use std::collections::HashMap;

use super::codec::decode_edits;
use super::earlier::{Earlier, expect_users};
use super::error::Error;
use super::roll::{Roll, Slot};
use crate::domain::{BatchId, Change, CustomerId, Undo};

/// What to take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revert {
    /// The batch.
    pub batch: BatchId,
    /// Whether to take back what others have left alone if they have changed the rest of a user.
    pub takes_safe_part: bool,
}

/// Finds whom the batch changed.
pub(super) async fn reverted(
    conn: &mut impl Earlier,
    customer: CustomerId,
    revert: &Revert,
) -> Result<Roll<'static>, Error> {
    let Revert {
        batch,
        takes_safe_part,
    } = *revert;
    let ended = conn.ended(customer, batch).await?;
    let (mut slots, mut changes) = (Vec::new(), Vec::new());
    let mut numbers: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut position = 0;
    loop {
        let ranges = conn.ranges(customer, batch, position).await?;
        let Some((next, _)) = ranges.last() else {
            break;
        };
        position = *next;
        for (_, range) in ranges.iter().filter(|(_, (_, count))| *count > 0) {
            for (user, edits) in conn.edits(customer, *range).await? {
                let change = match numbers.get(&edits) {
                    Some(known) => *known,
                    None => {
                        let undo = Undo {
                            edits: decode_edits(&edits)?,
                            takes_safe_part,
                        };
                        let undo = Some(undo);
                        changes.push(Change {
                            undo,
                            ..Change::default()
                        });
                        let number = changes.len() as u32 - 1;
                        numbers.insert(edits, number);
                        number
                    }
                };
                slots.push(Slot {
                    user: Some(user.into()),
                    index: slots.len() as u32,
                    change,
                });
            }
        }
    }
    expect_users(batch, ended.applied, slots.len())?;
    Ok(Roll::of_earlier(customer, slots, changes))
}
