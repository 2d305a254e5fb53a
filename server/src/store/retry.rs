//! The users of a batch that tries another one again: those who failed, in the order of its request,
//! each with the change that was asked for them.

use std::collections::{HashMap, HashSet};

use super::codec::{FAILED, SKIPPED, decode_order};
use super::earlier::{Earlier, expect_users};
use super::error::Error;
use super::lookup::{Lookup, resolve};
use super::roll::{Roll, Slot};
use super::types::Id;
use crate::domain::{BatchId, Change, CustomerId, UserRef};

/// What to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The batch.
    pub batch: BatchId,
    /// Whether to try those, too, for whom nothing was tried.
    pub with_skipped: bool,
}

/// Finds who failed. Who was not found by name or id then is looked up again.
pub(super) async fn retried(
    conn: &mut (impl Earlier + Lookup),
    customer: CustomerId,
    retry: &Retry,
) -> Result<Roll<'static>, Error> {
    let ended = conn.ended(customer, retry.batch).await?;
    let (mut slots, mut changes) = (Vec::new(), Vec::new());
    let mut numbers: HashMap<Change, u32> = HashMap::new();
    let mut names: HashMap<u32, String> = HashMap::new();
    let is_wanted =
        |disposition: u8| disposition == FAILED || retry.with_skipped && disposition == SKIPPED;
    let mut position = 0;
    loop {
        let chunks = conn.turns(customer, retry.batch, position).await?;
        let Some((next, _)) = chunks.last() else {
            break;
        };
        position = *next;
        for (_, (turns, dispositions)) in &chunks {
            if !dispositions.iter().copied().any(is_wanted) {
                continue;
            }
            let order = decode_order(turns)?;
            let turns = order.turns.into_iter().zip(dispositions);
            for (turn, _) in turns.filter(|(_, disposition)| is_wanted(**disposition)) {
                let change = &order.changes[turn.change as usize];
                let change = match numbers.get(change) {
                    Some(known) => *known,
                    None => {
                        changes.push(change.clone());
                        let number = changes.len() as u32 - 1;
                        numbers.insert(change.clone(), number);
                        number
                    }
                };
                if turn.user.is_none() {
                    names.insert(turn.index, turn.name);
                }
                slots.push(Slot {
                    user: turn.user,
                    index: turn.index,
                    change,
                });
            }
        }
    }
    let skipped = if retry.with_skipped { ended.skipped } else { 0 };
    expect_users(retry.batch, ended.failed + skipped, slots.len())?;
    slots.sort_unstable_by_key(|slot| slot.index);
    find_again(conn, customer, &mut slots, &names).await?;
    let mut roll = Roll::of_earlier(customer, slots, changes);
    for (index, slot) in (0..).zip(roll.slots.iter_mut()) {
        if let Some(name) = names.remove(&slot.index) {
            roll.names.insert(index, name);
        }
        slot.index = index;
    }
    Ok(roll)
}

/// Looks up who was not there. Who turns out to be a user of the batch already has a turn.
async fn find_again(
    conn: &mut impl Lookup,
    customer: CustomerId,
    slots: &mut [Slot],
    names: &HashMap<u32, String>,
) -> Result<(), Error> {
    let parsed = names
        .iter()
        .filter_map(|(index, name)| Some((*index, UserRef::parse(name).ok()?)));
    let unknown: HashMap<u32, UserRef> = parsed.collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let found = resolve(conn, Id::from(customer), unknown.values()).await?;
    let mut seen: HashSet<_> = slots.iter().filter_map(|slot| slot.user).collect();
    for slot in slots.iter_mut().filter(|slot| slot.user.is_none()) {
        let user = unknown.get(&slot.index).and_then(|user| found.find(user));
        slot.user = user.filter(|user| seen.insert(*user));
    }
    Ok(())
}
