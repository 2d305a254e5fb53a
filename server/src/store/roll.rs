//! The users of a batch in the order in which they are served, cut into chunks.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::accept::{ATOMIC_USERS_MAX, NewBatch};
use super::earlier::Earlier;
use super::error::{Error, Refusal};
use super::lookup::{LOOKUP_USERS, Lookup, resolve};
use super::retry::{Retry, retried};
use super::revert::{Revert, reverted};
use super::schema::licenses as l;
use super::selection::{Evaluated, evaluate};
use super::sqlite;
use super::types::Id;
use crate::domain::{
    BatchId, Change, CustomerId, Order, ProductId, Seats, Selection, Terms, Turn, UserId, UserRef,
};

/// Users of the first chunk: few, for a quick first result.
const FIRST_CHUNK_USERS: usize = 64;
/// Users of every other chunk: more gain little and hold the customer longer.
const CHUNK_USERS: usize = 500;

/// The users of a batch as the request says them.
#[derive(Debug, Clone)]
pub enum Users {
    /// One by one, each with the number of its change.
    Listed(Vec<(UserRef, u32)>),
    /// As a selection. All get the first change.
    Selected(Selection),
    /// Those whom an earlier batch changed, each with that to be undone.
    Reverted(Revert),
    /// Those whom an earlier batch refused, each with the same change again.
    Retried(Retry),
}

impl Users {
    /// The batch to take back, if any.
    pub(super) fn reverts(&self) -> Option<BatchId> {
        match self {
            Self::Reverted(revert) => Some(revert.batch),
            _ => None,
        }
    }

    /// The batch to try again, if any.
    pub(super) fn retries(&self) -> Option<BatchId> {
        match self {
            Self::Retried(retry) => Some(retry.batch),
            _ => None,
        }
    }
}

/// One user's place.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) user: Option<UserId>,
    pub(super) index: u32,
    pub(super) change: u32,
}

/// The users of a batch, found and in order of service.
pub(super) struct Roll<'a> {
    customer: Id,
    pub(super) slots: Vec<Slot>,
    /// By index: what to call a user who is not there (any more).
    pub(super) names: HashMap<u32, String>,
    /// The distinct changes.
    changes: Cow<'a, [Change]>,
    one_chunk: bool,
    /// True if the names of users who are there are looked up chunk by chunk: there may be very many.
    names_come_later: bool,
    /// Slots whose names were looked up.
    named: usize,
    next: usize,
}

impl<'a> Roll<'a> {
    fn new(customer: CustomerId, users: usize, changes: &'a [Change]) -> Self {
        Self {
            customer: customer.into(),
            slots: Vec::with_capacity(users),
            names: HashMap::new(),
            changes: Cow::Borrowed(changes),
            one_chunk: false,
            names_come_later: false,
            named: 0,
            next: 0,
        }
    }

    /// Users of an earlier batch.
    pub(super) fn of_earlier(customer: CustomerId, slots: Vec<Slot>, changes: Vec<Change>) -> Self {
        Self {
            slots,
            changes: Cow::Owned(changes),
            names_come_later: true,
            ..Self::new(customer, 0, &[])
        }
    }

    /// Finds the users and puts them in order. Refused if one is named twice.
    pub(super) async fn call(
        conn: &mut (impl Lookup + Earlier),
        customer: CustomerId,
        new: &'a NewBatch,
    ) -> Result<Self, Error> {
        let mut roll = match &new.users {
            Users::Listed(users) => listed(conn, customer, users, &new.changes).await?,
            Users::Selected(selection) => {
                let found = evaluate(conn, customer, selection, new.now).await?;
                selected(customer, found, &new.changes)
            }
            Users::Reverted(revert) => reverted(conn, customer, revert).await?,
            Users::Retried(retry) => retried(conn, customer, retry).await?,
        };
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
        if in_any_order && roll.has_ample_seats(&conn.seats(Id::from(customer)).await?) {
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
    fn has_ample_seats(&self, seats: &BTreeMap<ProductId, Seats>) -> bool {
        let mut uses = vec![0i64; self.changes.len()];
        for slot in &self.slots {
            uses[slot.change as usize] += 1;
        }
        let mut wanted: BTreeMap<ProductId, i64> = BTreeMap::new();
        for (change, uses) in self.changes.iter().zip(uses) {
            for product in change.gains() {
                *wanted.entry(product).or_default() += uses;
            }
        }
        let is_there = |(product, wanted): (&ProductId, &i64)| {
            let seats = seats.get(product);
            seats.is_some_and(|seats| seats.available() >= *wanted)
        };
        wanted.iter().all(is_there)
    }

    /// The distinct changes.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The chunks, without names: enough to decide them.
    pub(super) fn orders(&self) -> impl Iterator<Item = (i64, Order)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let first = next;
            let slots = self.chunk(first)?;
            next += slots.len();
            Some((first as i64, order(slots, &self.changes)))
        })
    }

    /// The next chunk, with names.
    pub(super) async fn next_named(
        &mut self,
        conn: &mut impl Lookup,
    ) -> QueryResult<Option<(i64, Order)>> {
        let first = self.next;
        let Some(slots) = self.chunk(first) else {
            return Ok(None);
        };
        let (count, mut order) = (slots.len(), order(slots, &self.changes));
        if self.names_come_later {
            self.look_names_up(conn, first, count).await?;
        }
        for turn in &mut order.turns {
            turn.name = match (self.names.remove(&turn.index), turn.user) {
                (Some(name), _) => name,
                // Deleted since the earlier batch, and the name with the user.
                (None, user) => user.map(|id| id.to_string()).unwrap_or_default(),
            };
        }
        self.next += count;
        Ok(Some((first as i64, order)))
    }

    /// Looks up what the users of a chunk, and of some after it, are called.
    async fn look_names_up(
        &mut self,
        conn: &mut impl Lookup,
        first: usize,
        count: usize,
    ) -> QueryResult<()> {
        if first + count <= self.named {
            return Ok(());
        }
        let end = self
            .slots
            .len()
            .min((first + count).max(self.named + LOOKUP_USERS));
        let slots = &self.slots[self.named..end];
        self.named = end;
        let mut places: Vec<(Id, u32)> = slots
            .iter()
            .filter_map(|slot| Some((slot.user?.into(), slot.index)))
            .collect();
        places.sort_unstable();
        let ids: Vec<Id> = places.iter().map(|(id, _)| *id).collect();
        let mut names: HashMap<Id, String> = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(LOOKUP_USERS) {
            names.extend(conn.users_by_id(self.customer, ids).await?);
        }
        let named = places
            .into_iter()
            .filter_map(|(id, index)| Some((index, names.remove(&id)?)));
        self.names.extend(named);
        Ok(())
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

/// The users as the request lists them; refused if one is named twice.
async fn listed<'a>(
    conn: &mut impl Lookup,
    customer: CustomerId,
    users: &[(UserRef, u32)],
    changes: &'a [Change],
) -> Result<Roll<'a>, Error> {
    let mut resolved =
        resolve(conn, Id::from(customer), users.iter().map(|(user, _)| user)).await?;
    let mut roll = Roll::new(customer, users.len(), changes);
    let mut places: HashMap<UserId, u32> = HashMap::with_capacity(users.len());
    for (index, (user, change)) in (0u32..).zip(users) {
        let (user, name) = match user {
            UserRef::Id(id) => match resolved.by_id.get_mut(&Id::from(*id)) {
                Some(name) => (Some(*id), std::mem::take(name)),
                None => (None, id.to_string()),
            },
            UserRef::Name(name) => match resolved.by_key.get(name.key()) {
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

/// The users of a selection, and after them those whom it names and who do not exist.
fn selected(customer: CustomerId, found: Evaluated, changes: &[Change]) -> Roll<'_> {
    let mut roll = Roll::new(customer, found.users.len() + found.unknown.len(), changes);
    roll.names_come_later = true;
    let known = found.users.into_iter().map(|user| (Some(user), None));
    let unknown = found.unknown.into_iter().map(|user| (None, Some(user)));
    for (index, (user, name)) in (0u32..).zip(known.chain(unknown)) {
        if let Some(name) = name {
            roll.names.insert(index, name.to_string());
        }
        roll.slots.push(Slot {
            user,
            index,
            change: 0,
        });
    }
    roll
}

/// The customer's seats, by product.
pub(super) trait ReadSeats {
    async fn seats(&mut self, customer: Id) -> QueryResult<BTreeMap<ProductId, Seats>>;
}

macro_rules! read_seats {
    ($($conn:ty)*) => { $(
        impl ReadSeats for $conn {
            async fn seats(&mut self, customer: Id) -> QueryResult<BTreeMap<ProductId, Seats>> {
                let rows: Vec<(Id, i64, i64, i64, i64)> = l::table
                    .filter(l::customer_id.eq(customer))
                    .select((l::product_id, l::enabled, l::warning, l::suspended, l::assigned))
                    .load(self)
                    .await?;
                let seats = rows.into_iter().map(|(product, enabled, warning, suspended, assigned)| {
                    (product.into(), Seats { enabled, warning, suspended, assigned })
                });
                Ok(seats.collect())
            }
        }
    )* };
}

read_seats!(AsyncPgConnection sqlite::Connection);
