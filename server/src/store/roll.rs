//! The users of a batch in the order in which they are served, cut into chunks.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::accept::{ATOMIC_USERS_MAX, NewBatch};
use super::error::{Error, Refusal};
use super::lookup::{LOOKUP_USERS, Lookup};
use super::schema::licenses as l;
use super::sqlite;
use super::types::Id;
use crate::domain::{Change, Order, ProductId, Terms, Turn, UserId, UserRef};

/// Users of the first chunk: few, for a quick first result.
const FIRST_CHUNK_USERS: usize = 64;
/// Users of every other chunk: more gain little and hold the customer longer.
const CHUNK_USERS: usize = 500;

/// The users of a batch as the request says them.
#[derive(Debug, Clone)]
pub enum Users {
    /// One by one, each with the number of its change.
    Listed(Vec<(UserRef, u32)>),
}

/// One user's place.
#[derive(Clone, Copy)]
struct Slot {
    user: Option<UserId>,
    index: u32,
    change: u32,
}

/// The users of a batch, found and in order of service.
pub(super) struct Roll {
    slots: Vec<Slot>,
    /// By index: what to call a user who is not there (any more).
    names: HashMap<u32, String>,
    one_chunk: bool,
    next: usize,
}

impl Roll {
    /// Finds the users and puts them in order. Refused if one is named twice.
    pub(super) async fn call(
        conn: &mut (impl Lookup + ReadSeats),
        new: &NewBatch,
    ) -> Result<Self, Error> {
        let customer = Id::from(new.customer);
        let Users::Listed(users) = &new.users;
        let mut roll = resolve(conn, customer, users).await?;
        roll.one_chunk = new.terms == Terms::Atomic;
        if roll.one_chunk && roll.len() > ATOMIC_USERS_MAX {
            return Err(Refusal::TooManyUsers {
                given: roll.len(),
                max: ATOMIC_USERS_MAX,
            }
            .into());
        }
        // Who comes after the last failure allowed is skipped, so the order counts.
        let in_any_order = !matches!(new.terms, Terms::StopAfter(_));
        if in_any_order && roll.has_ample_seats(&new.changes, &conn.seats(customer).await?) {
            roll.slots
                .sort_unstable_by_key(|slot| (slot.user, slot.index));
        }
        Ok(roll)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// True if every license has a free seat for every user that the batch would give one. Then the
    /// order of service makes no difference, and by id is the fastest.
    fn has_ample_seats(&self, changes: &[Change], available: &HashMap<ProductId, i64>) -> bool {
        let mut uses = vec![0i64; changes.len()];
        for slot in &self.slots {
            uses[slot.change as usize] += 1;
        }
        let mut wanted: BTreeMap<ProductId, i64> = BTreeMap::new();
        for (change, uses) in changes.iter().zip(uses) {
            for product in change.gains() {
                *wanted.entry(product).or_default() += uses;
            }
        }
        let is_there = |(product, wanted): (&ProductId, &i64)| {
            available
                .get(product)
                .is_some_and(|available| available >= wanted)
        };
        wanted.iter().all(is_there)
    }

    /// The chunks, without names: enough to decide them.
    pub(super) fn orders(&self, changes: &[Change]) -> impl Iterator<Item = (i64, Order)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let first = next;
            let slots = self.chunk(first)?;
            next += slots.len();
            Some((first as i64, order(slots, changes)))
        })
    }

    /// The next chunk, with names.
    pub(super) fn next_named(&mut self, changes: &[Change]) -> Option<(i64, Order)> {
        let first = self.next;
        let slots = self.chunk(first)?;
        let (count, mut order) = (slots.len(), order(slots, changes));
        for turn in &mut order.turns {
            turn.name = self.names.remove(&turn.index).unwrap_or_default();
        }
        self.next += count;
        Some((first as i64, order))
    }

    fn chunk(&self, first: usize) -> Option<&[Slot]> {
        let size = match first {
            _ if self.one_chunk => self.slots.len(),
            0 => FIRST_CHUNK_USERS,
            _ => CHUNK_USERS,
        };
        let rest = &self.slots[first..];
        (!rest.is_empty()).then(|| &rest[..size.min(rest.len())])
    }
}

/// A chunk with the changes that it names.
fn order(slots: &[Slot], changes: &[Change]) -> Order {
    let mut order = Order::default();
    let mut places: HashMap<u32, u32> = HashMap::new();
    for slot in slots {
        let change = *places.entry(slot.change).or_insert_with(|| {
            order.changes.push(changes[slot.change as usize].clone());
            order.changes.len() as u32 - 1
        });
        order.turns.push(Turn {
            index: slot.index,
            user: slot.user,
            name: String::new(),
            change,
        });
    }
    order
}

/// Looks the users up, whichever way the request names them.
async fn resolve(
    conn: &mut impl Lookup,
    customer: Id,
    users: &[(UserRef, u32)],
) -> Result<Roll, Error> {
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for (user, _) in users {
        match user {
            UserRef::Id(id) => ids.push(Id::from(*id)),
            UserRef::Name(name) => keys.push(name.key().to_owned()),
        }
    }
    // In key order each lookup touches neighbouring pages.
    ids.sort_unstable();
    keys.sort_unstable();
    let mut by_id: HashMap<Id, String> = HashMap::with_capacity(ids.len());
    let mut by_key: HashMap<String, (Id, String)> = HashMap::with_capacity(keys.len());
    for ids in ids.chunks(LOOKUP_USERS) {
        by_id.extend(conn.users_by_id(customer, ids).await?);
    }
    for keys in keys.chunks(LOOKUP_USERS) {
        for (folded, id, name) in conn.users_by_key(customer, keys).await? {
            by_key.insert(folded, (id, name));
        }
    }
    let mut roll = Roll {
        slots: Vec::with_capacity(users.len()),
        names: HashMap::with_capacity(users.len()),
        one_chunk: false,
        next: 0,
    };
    let mut places: HashMap<UserId, u32> = HashMap::with_capacity(users.len());
    for (index, (user, change)) in (0u32..).zip(users) {
        let (user, name) = match user {
            UserRef::Id(id) => match by_id.get_mut(&Id::from(*id)) {
                Some(name) => (Some(*id), std::mem::take(name)),
                None => (None, id.to_string()),
            },
            UserRef::Name(name) => match by_key.get(name.key()) {
                Some((id, stored)) => (Some((*id).into()), stored.clone()),
                None => (None, name.as_str().to_owned()),
            },
        };
        if let Some(first) = user.and_then(|user| places.insert(user, index)) {
            let second = index;
            return Err(Refusal::DuplicateUser { first, second }.into());
        }
        roll.names.insert(index, name);
        roll.slots.push(Slot {
            user,
            index,
            change: *change,
        });
    }
    Ok(roll)
}

/// Seats that are free, by product.
pub(super) trait ReadSeats {
    async fn seats(&mut self, customer: Id) -> QueryResult<HashMap<ProductId, i64>>;
}

macro_rules! read_seats {
    ($($conn:ty)*) => { $(
        impl ReadSeats for $conn {
            async fn seats(&mut self, customer: Id) -> QueryResult<HashMap<ProductId, i64>> {
                let seats: Vec<(Id, i64, i64, i64)> = l::table
                    .filter(l::customer_id.eq(customer))
                    .select((l::product_id, l::enabled, l::warning, l::assigned))
                    .load(self)
                    .await?;
                let free = seats.into_iter().map(|(product, enabled, warning, assigned)| {
                    (product.into(), enabled + warning - assigned)
                });
                Ok(free.collect())
            }
        }
    )* };
}

read_seats!(AsyncPgConnection sqlite::Connection);
