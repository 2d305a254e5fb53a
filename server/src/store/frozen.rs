//! Frozen selections: the users that a selection had at one moment, kept for a time. They are stored
//! in the order of the selection, in which scarce seats are given out, and by name, in which they are
//! listed.

use std::collections::HashMap;
use std::ops::Range;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::error::{Error, Refusal};
use super::journal::Journal;
use super::members::{sort, users_of};
use super::record::Draft;
use super::schema::{selection_chunks as sc, selections as s};
use super::selection::evaluate;
use super::types::{Id, Timestamp};
use super::{CustomerStore, User};
use crate::domain::{
    Origin, Place, Record, Selection, SelectionId, SelectionPart, UserId, UserRef,
};

/// Frozen selections that one customer can have.
const SELECTIONS_MAX: i64 = 100;
/// Expired selections that one call clears away: more than it makes.
const CLEARED_MAX: i64 = 4;
/// Users in one row.
const CHUNK_USERS: usize = 4_096;

/// Deletes a selection with its chunks, and says how many there were.
macro_rules! delete {
    ($conn:expr, $key:expr) => {{
        let (customer, selection): (Id, Id) = $key;
        let mine = sc::customer_id
            .eq(customer)
            .and(sc::selection_id.eq(selection));
        diesel::delete(sc::table.filter(mine))
            .execute($conn)
            .await?;
        diesel::delete(s::table.find((customer, selection)))
            .execute($conn)
            .await?
    }};
}
/// Deletes some of the customer's selections whose time is over, and gives what is recorded.
macro_rules! clear_expired {
    ($conn:expr, $customer:expr, $now:expr) => {{
        let expired: Vec<Id> = s::table
            .filter(s::customer_id.eq($customer))
            .filter(s::expires_at.le($now))
            .order(s::selection_id)
            .limit(CLEARED_MAX)
            .select(s::selection_id)
            .load($conn)
            .await?;
        for selection in &expired {
            delete!($conn, ($customer, *selection));
        }
        let deleted = |selection: Id| Record::SelectionDeleted(selection.into());
        expired.into_iter().map(deleted)
    }};
}

/// A frozen selection as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = s)]
pub struct FrozenSelection {
    /// Its id.
    #[diesel(deserialize_as = Id)]
    pub selection_id: SelectionId,
    /// Users that it had when it was made.
    pub user_count: i64,
    /// The moment that it shows.
    pub created_at: Timestamp,
    /// When it is gone.
    pub expires_at: Timestamp,
}

/// A selection to freeze.
#[derive(Debug)]
pub struct NewSelection {
    /// The id that it gets.
    pub id: SelectionId,
    /// Whom it has.
    pub selection: Selection,
    /// Who asked for it.
    pub origin: Origin,
    /// Now.
    pub now: Timestamp,
    /// When it will be gone.
    pub expires_at: Timestamp,
}

impl CustomerStore {
    /// Freezes a selection; also says which of the users that it names do not exist. The users are
    /// found before the customer is locked, so that others need not wait for that.
    pub async fn create_selection(
        &self,
        new: &NewSelection,
    ) -> Result<(FrozenSelection, Vec<UserRef>), Error> {
        let customer = self.customer;
        let (found, sorted) = read_tx!(self, conn => {
            let found = evaluate(conn, customer, &new.selection, new.now).await?;
            let sorted = if is_by_name(&new.selection) {
                None
            } else {
                Some(sort(conn, customer, &found.users).await?)
            };
            Ok((found, sorted))
        })?;
        let sorted = sorted.filter(|sorted| *sorted != found.users);
        let _turn = self.queue().await;
        let frozen = write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let id = Id::from(customer);
            let expired = clear_expired!(conn, id, new.now);
            let live: i64 = s::table
                .filter(s::customer_id.eq(id))
                .filter(s::expires_at.gt(new.now))
                .count()
                .get_result(conn)
                .await?;
            if live >= SELECTIONS_MAX {
                return Err(Refusal::TooManySelections { max: SELECTIONS_MAX }.into());
            }
            let row = (
                s::customer_id.eq(id),
                s::selection_id.eq(Id::from(new.id)),
                s::user_count.eq(found.users.len() as i64),
                s::is_sorted.eq(sorted.is_none()),
                s::created_at.eq(new.now),
                s::expires_at.eq(new.expires_at),
            );
            let frozen = diesel::insert_into(s::table)
                .values(row)
                .returning(FrozenSelection::as_returning())
                .get_result(conn)
                .await?;
            for (is_sorted, users) in [(false, Some(&found.users)), (true, sorted.as_ref())] {
                for (first, ids) in users.into_iter().flat_map(|users| chunks(users)) {
                    let row = (
                        sc::customer_id.eq(id),
                        sc::selection_id.eq(Id::from(new.id)),
                        sc::sorted.eq(is_sorted),
                        sc::first_position.eq(first),
                        sc::user_ids.eq(ids),
                    );
                    diesel::insert_into(sc::table).values(row).execute(conn).await?;
                }
            }
            let created = Record::SelectionCreated(new.id, frozen.user_count);
            let draft = Draft::new(customer, &new.origin, new.now).record(&created);
            conn.record(draft.records(expired)).await?;
            Ok::<_, Error>(frozen)
        })?;
        Ok((frozen, found.unknown))
    }

    /// Returns a frozen selection whose time is not over.
    pub async fn selection(
        &self,
        id: SelectionId,
        now: Timestamp,
    ) -> Result<FrozenSelection, Error> {
        let found: Option<FrozenSelection> = read!(self, conn => {
            let query = s::table
                .find((Id::from(self.customer), Id::from(id)))
                .filter(s::expires_at.gt(now))
                .select(FrozenSelection::as_select());
            query.first(conn).await.optional()
        })?;
        let Some(found) = found else {
            self.customer().await?;
            return Err(not_found(id));
        };
        Ok(found)
    }

    /// Deletes a frozen selection, if it is there.
    pub async fn delete_selection(
        &self,
        id: SelectionId,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            if delete!(conn, (Id::from(customer), Id::from(id))) > 0 {
                let draft = Draft::new(customer, origin, now);
                conn.record(draft.record(&Record::SelectionDeleted(id))).await?;
            }
            Ok(())
        })
    }

    /// Returns the users at up to `limit` places of a frozen selection, by name as it was when the
    /// selection was made, each with its place; those deleted since are left out.
    pub async fn frozen_users(
        &self,
        id: SelectionId,
        place: &Place<i64>,
        limit: i64,
        now: Timestamp,
    ) -> Result<Vec<(i64, User)>, Error> {
        let key = (Id::from(self.customer), Id::from(id));
        let (user_count, is_sorted): (i64, bool) = read!(self, conn => {
            let query = s::table.find(key).filter(s::expires_at.gt(now));
            query.select((s::user_count, s::is_sorted)).first(conn).await.optional()
        })?
        .ok_or_else(|| not_found(id))?;
        let (mut low, mut high) = match *place {
            Place::First | Place::Last => (0, user_count),
            Place::After(position) => (position + 1, user_count),
            Place::Before(position) => (0, position.min(user_count)),
        };
        let mut found = Vec::new();
        // Once, unless users at these places were deleted.
        while low < high && (found.len() as i64) < limit {
            let wanted = limit - found.len() as i64;
            let window = if place.is_backward() {
                (high - wanted).max(low)..high
            } else {
                low..(low + wanted).min(high)
            };
            let ids = self.frozen_ids(key, !is_sorted, &window).await?;
            let users = read!(self, conn => users_of(conn, self.customer, &ids).await)?;
            let mut users: HashMap<UserId, User> =
                users.into_iter().map(|user| (user.user_id, user)).collect();
            let placed = window.clone().zip(&ids);
            let placed = placed.filter_map(|(position, id)| Some((position, users.remove(id)?)));
            if place.is_backward() {
                high = window.start;
                found.splice(0..0, placed);
            } else {
                low = window.end;
                found.extend(placed);
            }
        }
        Ok(found)
    }
}

impl CustomerStore {
    /// The users at these places of one of a selection's orders.
    async fn frozen_ids(
        &self,
        key: (Id, Id),
        sorted: bool,
        window: &Range<i64>,
    ) -> Result<Vec<UserId>, Error> {
        let rows: Vec<(i64, Vec<u8>)> = read!(self, conn => {
            let query = sc::table
                .filter(sc::customer_id.eq(key.0))
                .filter(sc::selection_id.eq(key.1))
                .filter(sc::sorted.eq(sorted))
                .filter(sc::first_position.gt(window.start - CHUNK_USERS as i64))
                .filter(sc::first_position.lt(window.end))
                .order(sc::first_position)
                .select((sc::first_position, sc::user_ids));
            query.load(conn).await
        })?;
        let mut ids = Vec::new();
        for (first, bytes) in rows {
            let placed = (first..).zip(decode_users(&bytes)?);
            ids.extend(
                placed
                    .filter(|(at, _)| window.contains(at))
                    .map(|(_, id)| id),
            );
        }
        Ok(ids)
    }
}

/// True if the users of the selection come in the order in which they are listed.
fn is_by_name(selection: &Selection) -> bool {
    matches!(selection.parts[..], [SelectionPart::Filter(_)])
}

fn chunks(users: &[UserId]) -> impl Iterator<Item = (i64, Vec<u8>)> {
    let firsts = (0i64..).step_by(CHUNK_USERS);
    firsts.zip(users.chunks(CHUNK_USERS).map(encode_users))
}

fn encode_users(users: &[UserId]) -> Vec<u8> {
    users.iter().flat_map(|user| *user.0.as_bytes()).collect()
}

pub(super) fn decode_users(bytes: &[u8]) -> Result<impl Iterator<Item = UserId>, Error> {
    if !bytes.len().is_multiple_of(16) {
        return Err(Error::Broken("stored user ids are damaged".to_owned()));
    }
    let user = |id: &[u8]| UserId(Uuid::from_slice(id).expect("16 bytes"));
    Ok(bytes.chunks_exact(16).map(user))
}

pub(super) fn not_found(id: SelectionId) -> Error {
    Refusal::NotFound {
        resource: "selection",
        id: id.to_string(),
    }
    .into()
}
