//! Import of users: one part is one transaction that reads who is there, plans in memory and writes.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::CustomerStore;
use super::error::Error;
use super::journal::Journal;
use super::record::Draft;
use super::schema::users as u;
use super::types::{Id, Timestamp};
use super::users::{NewUser, User, UserUpdate, user_changes, user_row};
use crate::domain::{DisplayName, Origin, PrincipalName, Record, UserId, fold};

/// A user to create or change.
#[derive(Debug, Clone)]
pub struct ImportUser {
    /// The id, if the caller gave one; else the user is found by name.
    pub id: Option<UserId>,
    /// The id that the user gets if it is new.
    pub new_id: UserId,
    /// The values; a new user needs a principal name and a display name.
    pub values: UserUpdate,
}

/// What became of an imported user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is new.
    Created(UserId),
    /// It was changed.
    Updated(UserId),
    /// It was so already.
    Unchanged(UserId),
    /// It was refused; the text says why and what to do.
    Failed(String),
}

impl CustomerStore {
    /// Imports users, each by itself: a refused one does not keep the others out.
    pub async fn import_users(
        &self,
        users: Vec<ImportUser>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Vec<Imported>, Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        let ids: Vec<Id> = users
            .iter()
            .filter_map(|user| user.id)
            .map(Id::from)
            .collect();
        let keys = users
            .iter()
            .filter_map(|user| user.values.principal_name.as_ref());
        let keys: Vec<String> = keys.map(|name| name.key().to_owned()).collect();
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let mut present: Vec<(User, Option<Timestamp>)> = u::table
                .filter(u::customer_id.eq(Id::from(customer)))
                .filter(u::user_id.eq_any(&ids))
                .select((User::as_select(), u::deleted_at))
                .load(conn)
                .await?;
            let named: Vec<(User, Option<Timestamp>)> = u::table
                .filter(u::customer_id.eq(Id::from(customer)))
                .filter(u::principal_key.eq_any(&keys))
                .select((User::as_select(), u::deleted_at))
                .load(conn)
                .await?;
            present.extend(named);
            let mut part = Part::new(present);
            let outcomes = users.iter().map(|user| part.import(user, now)).collect();
            let Part { users, created, updated, records, .. } = part;
            for user in updated {
                diesel::update(u::table.find((Id::from(customer), Id::from(user.user_id))))
                    .set(user_changes!(user))
                    .execute(conn)
                    .await?;
            }
            let created = created.iter().map(|id| users[id].clone()).collect();
            Insert::insert_users(conn, customer.into(), created).await?;
            conn.record(Draft::new(customer, origin, now).records(records)).await?;
            Ok(outcomes)
        })
    }
}

/// The users of a part as they will be.
struct Part {
    users: HashMap<UserId, User>,
    by_key: HashMap<String, UserId>,
    deleted: Vec<UserId>,
    created: Vec<UserId>,
    /// One by one, as a name may be let go by one and taken by another.
    updated: Vec<User>,
    records: Vec<Record>,
}

impl Part {
    fn new(present: Vec<(User, Option<Timestamp>)>) -> Self {
        let mut part = Self {
            users: HashMap::new(),
            by_key: HashMap::new(),
            deleted: Vec::new(),
            created: Vec::new(),
            updated: Vec::new(),
            records: Vec::new(),
        };
        for (user, deleted) in present {
            if deleted.is_some() {
                part.deleted.push(user.user_id);
            } else {
                part.by_key.insert(fold(&user.principal_name), user.user_id);
                part.users.insert(user.user_id, user);
            }
        }
        part
    }

    fn import(&mut self, user: &ImportUser, now: Timestamp) -> Imported {
        let name = user.values.principal_name.as_ref();
        let by_name = name.and_then(|name| self.by_key.get(name.key()).copied());
        let Some(id) = user.id.or(by_name) else {
            return self.create(user, now);
        };
        if self.deleted.contains(&id) {
            return Imported::Failed("user_id: a deleted user had this id; use another".to_owned());
        }
        if by_name.is_some_and(|other| other != id) {
            return Imported::Failed(
                "principal_name: another user has this name; change or delete that user first"
                    .to_owned(),
            );
        }
        let Some(found) = self.users.get(&id) else {
            return self.create(user, now);
        };
        let changed = found.updated(&user.values, now);
        if changed == *found {
            return Imported::Unchanged(id);
        }
        self.records.push(found.update_record(&changed));
        self.by_key.remove(&fold(&found.principal_name));
        self.by_key.insert(fold(&changed.principal_name), id);
        if !self.created.contains(&id) {
            self.updated.push(changed.clone());
        }
        self.users.insert(id, changed);
        Imported::Updated(id)
    }

    fn create(&mut self, user: &ImportUser, now: Timestamp) -> Imported {
        let values = &user.values;
        let missing = |field: &str| Imported::Failed(format!("{field}: a new user needs one"));
        let Some(principal_name) = values.principal_name.clone() else {
            return missing("principal_name");
        };
        let Some(display_name) = values.display_name.clone() else {
            return missing("display_name");
        };
        let id = user.id.unwrap_or(user.new_id);
        let new = new_user(id, principal_name, display_name, values).into_user(now);
        self.by_key.insert(fold(&new.principal_name), id);
        self.records.push(Record::UserCreated(id, new.active));
        self.users.insert(id, new);
        self.created.push(id);
        Imported::Created(id)
    }
}

fn new_user(
    id: UserId,
    principal_name: PrincipalName,
    display_name: DisplayName,
    values: &UserUpdate,
) -> NewUser {
    NewUser {
        id,
        principal_name,
        display_name,
        usage_location: values.usage_location.flatten(),
        active: values.active.unwrap_or(true),
        last_active_at: values.last_active_at,
    }
}

/// The one place where Diesel's engines differ in type: many rows in one insert.
trait Insert {
    async fn insert_users(&mut self, customer: Id, users: Vec<User>) -> QueryResult<()>;
}

impl Insert for diesel_async::AsyncPgConnection {
    async fn insert_users(&mut self, customer: Id, users: Vec<User>) -> QueryResult<()> {
        if users.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = users.iter().map(|user| user_row!(customer, user)).collect();
        diesel::insert_into(u::table)
            .values(rows)
            .execute(self)
            .await?;
        Ok(())
    }
}

impl Insert for super::sqlite::Connection {
    async fn insert_users(&mut self, customer: Id, users: Vec<User>) -> QueryResult<()> {
        self.spawn_blocking(move |conn| {
            for user in &users {
                let insert = diesel::insert_into(u::table).values(user_row!(customer, user));
                diesel::RunQueryDsl::execute(insert, conn)?;
            }
            Ok(())
        })
        .await
    }
}
