//! The directory: principals, grants and keys, which are read as a whole and changed one thing at a time.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::codec::{damaged, decode_customers, encode_customers};
use super::error::{Error, Refusal};
use super::journal::Journal;
use super::record::Draft;
use super::schema::{
    api_keys as k, customers as c, grants as g, installation as i, principals as p,
};
use super::types::{Id, Timestamp};
use super::{Store, sqlite};
use crate::domain::{
    AccessChange, AccessRecord, Caller, CustomerId, Customers, Directory, Forbidden, Grant,
    INSTALLATION, Key, KeyId, Origin, Principal, PrincipalId, PrincipalKind, Record, Roles,
};

type PrincipalRow = (Id, i16, String, Timestamp);
type GrantRow = (Id, Id, i16, Option<Vec<u8>>, Option<Timestamp>, Timestamp);
type KeyRow = (
    Id,
    Id,
    Vec<u8>,
    Option<Timestamp>,
    Option<Timestamp>,
    Option<Timestamp>,
    Timestamp,
);
type Rows = (i64, Vec<PrincipalRow>, Vec<GrantRow>, Vec<KeyRow>);

/// Reads the directory; all of it at one moment only in a transaction.
trait ReadDirectory {
    async fn directory_rows(&mut self) -> QueryResult<Rows>;
}

macro_rules! read_directory {
    ($($conn:ty)*) => { $(
        impl ReadDirectory for $conn {
            async fn directory_rows(&mut self) -> QueryResult<Rows> {
                let version = i::table.find(1).select(i::access_version).first(self).await?;
                let principals = p::table.load(self).await?;
                let grants = g::table.order((g::created_at, g::grant_id)).load(self).await?;
                let keys = k::table.order((k::created_at, k::key_id)).load(self).await?;
                Ok((version, principals, grants, keys))
            }
        }
    )* };
}

read_directory!(AsyncPgConnection sqlite::Connection);

impl Store {
    /// The version of the directory. It grows with every change.
    pub async fn access_version(&self) -> Result<i64, Error> {
        read!(self, conn => {
            i::table.find(1).select(i::access_version).first(conn).await
        })
    }

    /// Reads the directory at one version.
    pub async fn directory(&self) -> Result<Directory, Error> {
        let rows = read_tx!(self, conn => { Ok(conn.directory_rows().await?) })?;
        directory(rows)
    }

    /// Changes the directory, if its rules let the caller; what the caller may do is read again. Returns the
    /// directory after the change.
    pub async fn change_access(
        &self,
        caller: &Caller,
        change: &AccessChange,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Directory, Error> {
        write_tx!(self, conn => {
            let next = i::access_version.eq(i::access_version + 1);
            diesel::update(i::table.find(1)).set(next).execute(conn).await?;
            let before = directory(conn.directory_rows().await?)?;
            let caller = if caller.is_stored() {
                before.caller(caller.principal, caller.key, now.0)
            } else {
                caller.clone()
            };
            before.check(&caller, change, now.0).map_err(refusal)?;
            for customer in customers(change) {
                let known = c::table.find(Id::from(customer)).select(c::customer_id);
                let known: Option<Id> = known.first(conn).await.optional()?;
                known.ok_or_else(|| super::customers::not_found(customer))?;
            }
            conn.apply(change, now).await?;
            let draft = Draft::new(INSTALLATION, origin, now).records(records(&before, change));
            conn.record(draft).await?;
            directory(conn.directory_rows().await?)
        })
    }

    /// Notes that a key was used at a time, unless that is known. No mutation: nothing hangs on it.
    pub async fn note_use(&self, key: KeyId, at: Timestamp) -> Result<(), Error> {
        write_tx!(self, conn => {
            let key = k::table.find(Id::from(key));
            let older = key.filter(k::used_at.is_null().or(k::used_at.lt(Some(at))));
            diesel::update(older).set(k::used_at.eq(Some(at))).execute(conn).await?;
            Ok(())
        })
    }
}

/// Writes a change that was checked.
trait Apply {
    async fn apply(&mut self, change: &AccessChange, now: Timestamp) -> QueryResult<()>;
    async fn insert_grant(&mut self, of: PrincipalId, grant: &Grant, at: i64) -> QueryResult<()>;
    async fn insert_key(&mut self, of: PrincipalId, key: &Key) -> QueryResult<()>;
}

macro_rules! apply {
    ($($conn:ty)*) => { $(
        impl Apply for $conn {
            async fn apply(&mut self, change: &AccessChange, now: Timestamp) -> QueryResult<()> {
                match change {
                    AccessChange::CreatePrincipal(new) => {
                        let row = (
                            p::principal_id.eq(Id::from(new.id)),
                            p::kind.eq(new.kind as i16),
                            p::name.eq(&new.name),
                            p::created_at.eq(Timestamp(new.created_at)),
                        );
                        diesel::insert_into(p::table).values(row).execute(self).await?;
                        for (grant, at) in &new.grants {
                            self.insert_grant(new.id, grant, *at).await?;
                        }
                        for key in &new.keys {
                            self.insert_key(new.id, key).await?;
                        }
                    }
                    AccessChange::DeletePrincipal(id) => {
                        let id = Id::from(*id);
                        let keys = k::table.filter(k::principal_id.eq(id));
                        diesel::delete(keys).execute(self).await?;
                        let grants = g::table.filter(g::principal_id.eq(id));
                        diesel::delete(grants).execute(self).await?;
                        diesel::delete(p::table.find(id)).execute(self).await?;
                    }
                    AccessChange::CreateGrant(of, grant, at) => {
                        self.insert_grant(*of, grant, *at).await?;
                    }
                    AccessChange::DeleteGrant(id) => {
                        diesel::delete(g::table.find(Id::from(*id))).execute(self).await?;
                    }
                    AccessChange::CreateKey(of, key) => self.insert_key(*of, key).await?,
                    AccessChange::RevokeKey(id) => {
                        let good = k::table.find(Id::from(*id)).filter(k::revoked_at.is_null());
                        let revoke = k::revoked_at.eq(Some(now));
                        diesel::update(good).set(revoke).execute(self).await?;
                    }
                }
                Ok(())
            }

            async fn insert_grant(
                &mut self,
                of: PrincipalId,
                grant: &Grant,
                at: i64,
            ) -> QueryResult<()> {
                let row = (
                    g::grant_id.eq(Id::from(grant.id)),
                    g::principal_id.eq(Id::from(of)),
                    g::roles.eq(grant.roles.bits().cast_signed()),
                    g::customer_ids.eq(encode_customers(&grant.customers)),
                    g::expires_at.eq(grant.expires_at.map(Timestamp)),
                    g::created_at.eq(Timestamp(at)),
                );
                diesel::insert_into(g::table).values(row).execute(self).await.map(drop)
            }

            async fn insert_key(&mut self, of: PrincipalId, key: &Key) -> QueryResult<()> {
                let row = (
                    k::key_id.eq(Id::from(key.id)),
                    k::principal_id.eq(Id::from(of)),
                    k::secret_hash.eq(key.hash.as_slice()),
                    k::expires_at.eq(key.expires_at.map(Timestamp)),
                    k::revoked_at.eq(key.revoked_at.map(Timestamp)),
                    k::used_at.eq(key.used_at.map(Timestamp)),
                    k::created_at.eq(Timestamp(key.created_at)),
                );
                diesel::insert_into(k::table).values(row).execute(self).await.map(drop)
            }
        }
    )* };
}

apply!(AsyncPgConnection sqlite::Connection);

fn directory((version, principals, grants, keys): Rows) -> Result<Directory, Error> {
    let mut all = BTreeMap::new();
    for (id, kind, name, created_at) in principals {
        let principal = Principal {
            id: id.into(),
            kind: PrincipalKind::of(kind.into()).ok_or_else(damaged)?,
            name,
            created_at: created_at.0,
            grants: Vec::new(),
            keys: Vec::new(),
        };
        all.insert(id, principal);
    }
    for (id, principal, roles, customers, expires_at, created_at) in grants {
        let grant = Grant {
            id: id.into(),
            roles: Roles::from_bits(roles.cast_unsigned()).ok_or_else(damaged)?,
            customers: decode_customers(customers.as_deref())?,
            expires_at: expires_at.map(|end| end.0),
        };
        let principal = all.get_mut(&principal).ok_or_else(damaged)?;
        principal.grants.push((grant, created_at.0));
    }
    for (id, principal, hash, expires_at, revoked_at, used_at, created_at) in keys {
        let key = Key {
            id: id.into(),
            hash: hash.try_into().map_err(|_| damaged())?,
            expires_at: expires_at.map(|time| time.0),
            revoked_at: revoked_at.map(|time| time.0),
            used_at: used_at.map(|time| time.0),
            created_at: created_at.0,
        };
        all.get_mut(&principal).ok_or_else(damaged)?.keys.push(key);
    }
    Ok(Directory::new(version, all.into_values()))
}

/// The customers that a change names.
fn customers(change: &AccessChange) -> Vec<CustomerId> {
    let listed = |grant: &Grant| match &grant.customers {
        Customers::All => Vec::new(),
        Customers::Listed(listed) => listed.iter().copied().collect(),
    };
    match change {
        AccessChange::CreatePrincipal(new) => new
            .grants
            .iter()
            .flat_map(|(grant, _)| listed(grant))
            .collect(),
        AccessChange::CreateGrant(_, grant, _) => listed(grant),
        _ => Vec::new(),
    }
}

/// What is recorded of a change.
fn records(before: &Directory, change: &AccessChange) -> Vec<Record> {
    let of = |principal: PrincipalId, kind, thing| AccessRecord {
        principal,
        kind,
        thing,
        roles: Roles::NONE,
        expires_at: None,
        customers: Customers::Listed(BTreeSet::new()),
    };
    let granted = |principal, kind, grant: &Grant| AccessRecord {
        roles: grant.roles,
        expires_at: grant.expires_at,
        customers: grant.customers.clone(),
        ..of(principal, kind, grant.id.0)
    };
    let key = |principal, kind, key: &Key| AccessRecord {
        expires_at: key.expires_at,
        ..of(principal, kind, key.id.0)
    };
    let records = match change {
        AccessChange::CreatePrincipal(new) => {
            let mut records = vec![of(new.id, 1, new.id.0)];
            records.extend(
                new.grants
                    .iter()
                    .map(|(grant, _)| granted(new.id, 3, grant)),
            );
            records.extend(new.keys.iter().map(|one| key(new.id, 5, one)));
            records
        }
        AccessChange::DeletePrincipal(id) => vec![of(*id, 2, id.0)],
        AccessChange::CreateGrant(id, grant, _) => vec![granted(*id, 3, grant)],
        AccessChange::DeleteGrant(id) => {
            let found = before.grant(*id).into_iter();
            found
                .map(|(principal, grant)| granted(principal.id, 4, grant))
                .collect()
        }
        AccessChange::CreateKey(id, new) => vec![key(*id, 5, new)],
        AccessChange::RevokeKey(id) => {
            let found = before.key(*id).into_iter();
            let good = found.filter(|(_, key)| key.revoked_at.is_none());
            good.map(|(principal, one)| key(principal.id, 6, one))
                .collect()
        }
    };
    records.into_iter().map(Record::Access).collect()
}

fn refusal(forbidden: Forbidden) -> Error {
    let missing = |resource, id: uuid::Uuid| Refusal::NotFound {
        resource,
        id: id.to_string(),
    };
    let refusal = match forbidden {
        Forbidden::NoPrincipal(id) => missing("principal", id.0),
        Forbidden::NoGrant(id) => missing("grant", id.0),
        Forbidden::NoKey(id) => missing("key", id.0),
        Forbidden::NameTaken => Refusal::Exists {
            resource: "principal",
            field: "name",
        },
        forbidden => Refusal::Forbidden(forbidden),
    };
    refusal.into()
}
