//! What a selection comes to: its users, in its order.
//!
//! It is found on one connection, in a read or within a transaction. The number of statements depends
//! on the parts and, for users named one by one, on how many thousands they are; the memory is 16
//! bytes per user, and again some 40 where parts must be told apart.

use std::collections::{HashMap, HashSet};

use super::error::{Error, Refusal};
use super::filter::user_ids;
use super::lookup::{Lookup, resolve};
use super::types::{Id, Timestamp};
use super::violations::violators;
use crate::domain::{CustomerId, Selection, SelectionPart, UserId, UserRef};

/// Users of one selection, and as many that it leaves out.
const SELECTION_USERS_MAX: usize = 1_000_000;

/// The users of a selection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Evaluated {
    /// In the order of the selection, each once.
    pub(super) users: Vec<UserId>,
    /// Whom it names and who does not exist, in order, each once.
    pub(super) unknown: Vec<UserRef>,
}

/// Finds the users of a selection.
pub(super) async fn evaluate(
    conn: &mut impl Lookup,
    customer: CustomerId,
    selection: &Selection,
    now: Timestamp,
) -> Result<Evaluated, Error> {
    let mut found = Evaluated::default();
    let mut seen = HashSet::new();
    let mut strangers = HashSet::new();
    for (index, part) in selection.except.iter().enumerate() {
        let place = || format!("except[{index}]");
        let part = evaluate_part(conn, customer, part, place, now).await?;
        seen.extend(part.users);
        strangers.extend(part.unknown);
        check_count(seen.len())?;
    }
    let is_union = selection.parts.len() > 1;
    for (index, part) in selection.parts.iter().enumerate() {
        let place = || format!("parts[{index}]");
        let part = evaluate_part(conn, customer, part, place, now).await?;
        if is_union {
            let new = part.users.into_iter().filter(|user| seen.insert(*user));
            found.users.extend(new);
        } else {
            found.users = part.users;
            found.users.retain(|user| !seen.contains(user));
        }
        check_count(found.users.len())?;
        let new = part.unknown.into_iter();
        found
            .unknown
            .extend(new.filter(|user| strangers.insert(user.clone())));
    }
    Ok(found)
}

async fn evaluate_part(
    conn: &mut impl Lookup,
    customer: CustomerId,
    part: &SelectionPart,
    place: impl Fn() -> String,
    now: Timestamp,
) -> Result<Evaluated, Error> {
    match part {
        SelectionPart::Users(users) => evaluate_users(conn, customer, users, place).await,
        SelectionPart::Filter(filter) => {
            // One more than allowed shows that there are too many.
            let limit = SELECTION_USERS_MAX as i64 + 1;
            let users = user_ids(conn, customer, filter, limit).await?;
            check_count(users.len())?;
            Ok(Evaluated {
                users,
                unknown: Vec::new(),
            })
        }
        SelectionPart::Violating(filter) => {
            let catalogue = conn.catalogue_rows().await?.catalogue()?;
            let users = violators(conn, customer, &catalogue, filter, SELECTION_USERS_MAX).await?;
            check_count(users.len())?;
            Ok(Evaluated {
                users,
                unknown: Vec::new(),
            })
        }
        SelectionPart::Frozen(id) => {
            let users = conn.users_of_frozen(Id::from(customer), *id, now).await?;
            let users = users.ok_or_else(|| super::frozen::not_found(*id))?;
            Ok(Evaluated {
                users,
                unknown: Vec::new(),
            })
        }
    }
}

async fn evaluate_users(
    conn: &mut impl Lookup,
    customer: CustomerId,
    users: &[UserRef],
    place: impl Fn() -> String,
) -> Result<Evaluated, Error> {
    let resolved = resolve(conn, Id::from(customer), users.iter()).await?;
    let mut found = Evaluated::default();
    let mut places: HashMap<UserId, u32> = HashMap::with_capacity(users.len());
    for (index, user) in (0u32..).zip(users) {
        let Some(id) = resolved.find(user) else {
            found.unknown.push(user.clone());
            continue;
        };
        if let Some(first) = places.insert(id, index) {
            return Err(Refusal::SelectedTwice {
                part: place(),
                first,
                second: index,
            }
            .into());
        }
        found.users.push(id);
    }
    Ok(found)
}

fn check_count(users: usize) -> Result<(), Error> {
    if users > SELECTION_USERS_MAX {
        return Err(Refusal::TooManySelected {
            max: SELECTION_USERS_MAX,
        }
        .into());
    }
    Ok(())
}
