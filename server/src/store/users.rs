//! Users: single calls. Many at once are in `import.rs`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::error::{Error, Refusal, is_duplicate};
use super::journal::Journal;
use super::record::Draft;
use super::schema::{assignments as a, licenses as l, users as u};
use super::types::{Id, Timestamp};
use super::{CustomerStore, check_version};
use crate::domain::{
    ChoiceId, Country, DisplayName, Edit, Moved, Origin, PrincipalName, ProductId, Record,
    UserFields, UserId, UserRef,
};

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = u)]
pub struct User {
    /// Its id.
    #[diesel(deserialize_as = Id)]
    pub user_id: UserId,
    /// Sign-in name.
    pub principal_name: String,
    /// Name for people.
    pub display_name: String,
    /// Country, if known.
    pub usage_location: Option<String>,
    /// False if nothing new may be given.
    pub active: bool,
    /// When it was last seen using anything, if known.
    pub last_active_at: Option<Timestamp>,
    /// Grows with every change of the user itself.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it itself was last changed.
    pub updated_at: Timestamp,
}

/// A user to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Its id.
    pub id: UserId,
    /// Sign-in name.
    pub principal_name: PrincipalName,
    /// Name for people.
    pub display_name: DisplayName,
    /// Country, if known.
    pub usage_location: Option<Country>,
    /// False if nothing may be given yet.
    pub active: bool,
    /// When it was last seen using anything, if known.
    pub last_active_at: Option<Timestamp>,
}

/// New values of a user; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct UserUpdate {
    /// Sign-in name.
    pub principal_name: Option<PrincipalName>,
    /// Name for people.
    pub display_name: Option<DisplayName>,
    /// Country; `Some(None)` is "not known".
    pub usage_location: Option<Option<Country>>,
    /// Whether something new may be given.
    pub active: Option<bool>,
    /// When it was last seen using anything.
    pub last_active_at: Option<Timestamp>,
}

impl User {
    /// The user after an update; the version and time move only if a value does.
    pub(super) fn updated(&self, update: &UserUpdate, now: Timestamp) -> Self {
        let mut user = self.clone();
        if let Some(name) = &update.principal_name {
            name.as_str().clone_into(&mut user.principal_name);
        }
        if let Some(name) = &update.display_name {
            name.as_str().clone_into(&mut user.display_name);
        }
        if let Some(location) = update.usage_location {
            user.usage_location = location.map(|country| country.as_str().to_owned());
        }
        user.active = update.active.unwrap_or(self.active);
        user.last_active_at = update.last_active_at.or(self.last_active_at);
        if user != *self {
            user.version += 1;
            user.updated_at = now;
        }
        user
    }

    /// What is recorded when the user becomes `after`.
    pub(super) fn update_record(&self, after: &Self) -> Record {
        let fields = UserFields {
            principal_name: self.principal_name != after.principal_name,
            display_name: self.display_name != after.display_name,
            usage_location: self.usage_location != after.usage_location,
            last_active: self.last_active_at != after.last_active_at,
        };
        Record::UserUpdated(self.user_id, fields, [self.active, after.active])
    }
}

impl NewUser {
    pub(super) fn into_user(self, now: Timestamp) -> User {
        User {
            user_id: self.id,
            principal_name: self.principal_name.as_str().to_owned(),
            display_name: self.display_name.as_str().to_owned(),
            usage_location: self
                .usage_location
                .map(|country| country.as_str().to_owned()),
            active: self.active,
            last_active_at: self.last_active_at,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// The columns of a new row.
macro_rules! user_row {
    ($customer:expr, $user:expr) => {
        (
            u::customer_id.eq($customer),
            u::user_id.eq(Id::from($user.user_id)),
            u::principal_name.eq(&$user.principal_name),
            u::principal_key.eq(Some(crate::domain::fold(&$user.principal_name))),
            u::display_name.eq(&$user.display_name),
            u::sort_key.eq(crate::domain::fold(&$user.display_name)),
            u::usage_location.eq(&$user.usage_location),
            u::active.eq($user.active),
            u::last_active_at.eq($user.last_active_at),
            u::version.eq($user.version),
            u::created_at.eq($user.created_at),
            u::updated_at.eq($user.updated_at),
        )
    };
}
/// The columns that an update may change.
macro_rules! user_changes {
    ($user:expr) => {
        (
            u::principal_name.eq(&$user.principal_name),
            u::principal_key.eq(Some(crate::domain::fold(&$user.principal_name))),
            u::display_name.eq(&$user.display_name),
            u::sort_key.eq(crate::domain::fold(&$user.display_name)),
            u::usage_location.eq(&$user.usage_location),
            u::active.eq($user.active),
            u::last_active_at.eq($user.last_active_at),
            u::version.eq($user.version),
            u::updated_at.eq($user.updated_at),
        )
    };
}
pub(super) use {user_changes, user_row};

/// A living user of a customer, by id or name.
macro_rules! find_user {
    ($customer:expr, $user:expr) => {{
        let query = u::table
            .filter(u::customer_id.eq(Id::from($customer)))
            .filter(u::deleted_at.is_null())
            .select(User::as_select())
            .into_boxed();
        match $user {
            UserRef::Id(id) => query.filter(u::user_id.eq(Id::from(*id))),
            UserRef::Name(name) => query.filter(u::principal_key.eq(name.key().to_owned())),
        }
    }};
}

impl CustomerStore {
    /// Creates a user. Refused with `Exists` if the id or the principal name is taken.
    pub async fn create_user(
        &self,
        new: NewUser,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<User, Error> {
        let customer = self.customer;
        let created = Record::UserCreated(new.id, new.active);
        let record = Draft::new(customer, origin, now).record(&created);
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let user = new.clone().into_user(now);
            let id = u::table.find((Id::from(customer), Id::from(user.user_id))).select(u::version);
            if id.first::<i64>(conn).await.optional()?.is_some() {
                return Err(taken("user_id"));
            }
            let created = diesel::insert_into(u::table)
                .values(user_row!(Id::from(customer), user))
                .execute(conn)
                .await;
            created.map_err(|error| {
                if is_duplicate(&error) { taken("principal_name") } else { error.into() }
            })?;
            conn.record(record.clone()).await?;
            Ok(user)
        })
    }

    /// Returns a user.
    pub async fn user(&self, user: &UserRef) -> Result<User, Error> {
        let found: Option<User> = read!(self, conn => {
            find_user!(self.customer, user).first(conn).await.optional()
        })?;
        let Some(found) = found else {
            self.customer().await?;
            return Err(not_found(user));
        };
        Ok(found)
    }

    /// Changes a user, if it is still at `version` (when given).
    pub async fn update_user(
        &self,
        user: &UserRef,
        update: &UserUpdate,
        version: Option<i64>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<User, Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let found: Option<User> =
                find_user!(customer, user).first(conn).await.optional()?;
            let found = found.ok_or_else(|| not_found(user))?;
            check_version("user", found.user_id, version, found.version)?;
            let changed = found.updated(update, now);
            if changed != found {
                let row = u::table.find((Id::from(customer), Id::from(found.user_id)));
                let done =
                    diesel::update(row).set(user_changes!(changed)).execute(conn).await;
                done.map_err(|error| {
                    if is_duplicate(&error) { taken("principal_name") } else { error.into() }
                })?;
                let record = found.update_record(&changed);
                conn.record(Draft::new(customer, origin, now).record(&record)).await?;
            }
            Ok(changed)
        })
    }

    /// Deletes a user, if it is still at `version` (when given), frees its seats and says which.
    pub async fn delete_user(
        &self,
        user: &UserRef,
        version: Option<i64>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(UserId, Vec<ProductId>), Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let found: Option<User> = find_user!(customer, user).first(conn).await.optional()?;
            let found = found.ok_or_else(|| not_found(user))?;
            check_version("user", found.user_id, version, found.version)?;
            let key = (Id::from(customer), Id::from(found.user_id));

            let mine = a::customer_id.eq(key.0).and(a::user_id.eq(key.1));
            let held: Vec<(Id, i32)> = a::table
                .filter(mine)
                .order(a::product_id)
                .select((a::product_id, a::choice_id))
                .load(conn)
                .await?;
            diesel::delete(a::table.filter(mine)).execute(conn).await?;
            let mut edits = Vec::with_capacity(held.len());
            let mut moved = Vec::with_capacity(held.len());
            for (product, choice) in &held {
                let left: i64 = diesel::update(l::table.find((key.0, *product)))
                    .set(l::assigned.eq(l::assigned - 1))
                    .returning(l::assigned)
                    .get_result(conn)
                    .await?;
                let product = ProductId::from(*product);
                let before = Some(ChoiceId(*choice));
                edits.push(Edit { product, before, after: None });
                let one = Moved { before: left + 1, taken: 1, ..Moved::default() };
                moved.push(Record::SeatsMoved(product, one));
            }
            let revoked = (!edits.is_empty()).then_some(Record::Assignments(found.user_id, edits));
            let deleted = Record::UserDeleted(found.user_id, found.active);
            let draft = Draft::new(customer, origin, now)
                .records(revoked)
                .record(&deleted)
                .records(moved);
            conn.record(draft).await?;
            // The tombstone keeps the id from being used again; names are personal and go.
            diesel::update(u::table.find(key))
                .set((
                    u::principal_name.eq(""),
                    u::principal_key.eq(None::<String>),
                    u::display_name.eq(""),
                    u::sort_key.eq(""),
                    u::usage_location.eq(None::<String>),
                    u::active.eq(false),
                    u::last_active_at.eq(None::<Timestamp>),
                    u::version.eq(found.version + 1),
                    u::updated_at.eq(now),
                    u::deleted_at.eq(Some(now)),
                ))
                .execute(conn)
                .await?;
            Ok((found.user_id, held.into_iter().map(|(product, _)| product.into()).collect()))
        })
    }
}

pub(super) fn taken(field: &'static str) -> Error {
    Refusal::Exists {
        resource: "user",
        field,
    }
    .into()
}

fn not_found(user: &UserRef) -> Error {
    let id = match user {
        UserRef::Id(id) => id.to_string(),
        UserRef::Name(name) => name.as_str().to_owned(),
    };
    Refusal::NotFound {
        resource: "user",
        id,
    }
    .into()
}
