//! The directory: everybody who may call, with grants and keys, and the rules by which it may be changed.

use std::collections::{BTreeMap, HashMap};

use super::access::{Caller, Customers, Grant, Role, Roles};
use super::{GrantId, KeyId, PrincipalId};

/// Principals of an installation.
const PRINCIPALS_MAX: usize = 10_000;
/// Grants of a principal.
const GRANTS_MAX: usize = 20;
/// Keys of a principal, with those that are no longer good.
const KEYS_MAX: usize = 20;
/// Customers that are listed in all grants of a principal together.
const GRANTED_CUSTOMERS_MAX: usize = 1_000;

/// How somebody proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PrincipalKind {
    /// By an API key.
    Key = 1,
    /// By a token of the issuer.
    Token = 2,
    /// By a client certificate.
    Certificate = 3,
}

impl PrincipalKind {
    /// The kind with this number.
    pub fn of(number: i32) -> Option<Self> {
        let all = [Self::Key, Self::Token, Self::Certificate];
        all.into_iter()
            .find(|kind| i32::from(*kind as u8) == number)
    }
}

/// Somebody who may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// How it proves who it is.
    pub kind: PrincipalKind,
    /// Of a key a name for people, of a token its subject, of a certificate a name that it has.
    pub name: String,
    /// When it was created, in microseconds since 1970.
    pub created_at: i64,
    /// What it may do, the oldest first, and when it was given.
    pub grants: Vec<(Grant, i64)>,
    /// Its keys, the oldest first.
    pub keys: Vec<Key>,
}

/// An API key, without its secret. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// The first moment at which it is no longer good; none for ever.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When it was last used, to the minute.
    pub used_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

impl Key {
    /// True if it is still good.
    pub fn is_good(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl Principal {
    /// The grants that are good.
    pub fn good_grants(&self, now: i64) -> impl Iterator<Item = &Grant> {
        let grants = self.grants.iter().map(|(grant, _)| grant);
        grants.filter(move |grant| grant.is_good(now))
    }

    /// True if it can give rights to anybody: it is a global admin for all customers, and can prove it.
    fn is_admin(&self, now: i64) -> bool {
        let is_admin = |grant: &Grant| {
            grant.roles.contains(Role::GlobalAdmin) && grant.customers == Customers::All
        };
        let can_call =
            self.kind != PrincipalKind::Key || self.keys.iter().any(|key| key.is_good(now));
        can_call && self.good_grants(now).any(is_admin)
    }
}

/// Everybody who may call, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Grows with every change; 0 if it was never read.
    pub version: i64,
    principals: BTreeMap<PrincipalId, Principal>,
    names: HashMap<(PrincipalKind, String), PrincipalId>,
    keys: HashMap<KeyId, PrincipalId>,
}

impl Directory {
    /// The directory of these.
    pub fn new(version: i64, principals: impl IntoIterator<Item = Principal>) -> Self {
        let mut directory = Self {
            version,
            ..Self::default()
        };
        for principal in principals {
            directory.put(principal);
        }
        directory
    }

    fn put(&mut self, principal: Principal) {
        let keys = principal.keys.iter().map(|key| (key.id, principal.id));
        self.keys.extend(keys);
        let name = (principal.kind, principal.name.clone());
        self.names.insert(name, principal.id);
        self.principals.insert(principal.id, principal);
    }

    /// Everybody, by id.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.values()
    }

    /// The principal with this id.
    pub fn principal(&self, id: PrincipalId) -> Option<&Principal> {
        self.principals.get(&id)
    }

    /// The principal of this kind and name.
    pub fn named(&self, kind: PrincipalKind, name: &str) -> Option<&Principal> {
        let id = self.names.get(&(kind, name.to_owned()))?;
        self.principals.get(id)
    }

    /// The key with this id, and whose it is.
    pub fn key(&self, id: KeyId) -> Option<(&Principal, &Key)> {
        let principal = self.principals.get(self.keys.get(&id)?)?;
        let key = principal.keys.iter().find(|key| key.id == id)?;
        Some((principal, key))
    }

    /// The grant with this id, and whose it is.
    pub fn grant(&self, id: GrantId) -> Option<(&Principal, &Grant)> {
        let all = self.principals.values();
        let mut grants = all.flat_map(|one| one.grants.iter().map(move |(grant, _)| (one, grant)));
        grants.find(|(_, grant)| grant.id == id)
    }

    /// Somebody who has proved who they are, as a caller at this time.
    pub fn caller(&self, principal: PrincipalId, key: Option<KeyId>, now: i64) -> Caller {
        let grants = self
            .principal(principal)
            .map(|one| one.good_grants(now).cloned());
        Caller {
            principal,
            key,
            grants: grants.into_iter().flatten().collect(),
        }
    }

    /// Says why a caller may not make a change; which customers there are is not known here.
    pub fn check(&self, caller: &Caller, change: &AccessChange, now: i64) -> Result<(), Forbidden> {
        match change {
            AccessChange::CreatePrincipal(new) => {
                if self.named(new.kind, &new.name).is_some() {
                    return Err(Forbidden::NameTaken);
                }
                within("principals", self.principals.len() + 1, PRINCIPALS_MAX)?;
                check_limits(new)?;
                covers(caller, new.grants.iter().map(|(grant, _)| grant))?;
            }
            AccessChange::CreateGrant(id, grant, _) => {
                let principal = self.other(caller, *id)?;
                let mut after = principal.clone();
                after.grants.push((grant.clone(), 0));
                check_limits(&after)?;
                covers(caller, [grant])?;
            }
            AccessChange::DeleteGrant(id) => {
                let (principal, grant) = self.grant(*id).ok_or(Forbidden::NoGrant(*id))?;
                self.other(caller, principal.id)?;
                covers(caller, [grant])?;
            }
            AccessChange::DeletePrincipal(id) => {
                let principal = self.other(caller, *id)?;
                covers(caller, principal.good_grants(now))?;
            }
            AccessChange::CreateKey(id, key) => self.check_new_key(caller, *id, key, now)?,
            // A key that leaked is revoked by whoever sees it first.
            AccessChange::RevokeKey(id) => {
                self.key(*id).ok_or(Forbidden::NoKey(*id))?;
            }
        }
        let admins = |all: &Self| all.principals().any(|one| one.is_admin(now));
        if admins(self) && !admins(&self.after(change, now)) {
            return Err(Forbidden::LastAdmin);
        }
        Ok(())
    }

    /// The directory after a change.
    pub fn after(&self, change: &AccessChange, now: i64) -> Self {
        let mut principals = self.principals.clone();
        match change {
            AccessChange::CreatePrincipal(new) => {
                principals.insert(new.id, new.clone());
            }
            AccessChange::DeletePrincipal(id) => {
                principals.remove(id);
            }
            AccessChange::CreateGrant(id, grant, at) => {
                if let Some(one) = principals.get_mut(id) {
                    one.grants.push((grant.clone(), *at));
                }
            }
            AccessChange::DeleteGrant(id) => {
                let all = principals.values_mut();
                all.for_each(|one| one.grants.retain(|(grant, _)| grant.id != *id));
            }
            AccessChange::CreateKey(id, key) => {
                if let Some(one) = principals.get_mut(id) {
                    one.keys.push(key.clone());
                }
            }
            AccessChange::RevokeKey(id) => {
                let keys = principals.values_mut().flat_map(|one| &mut one.keys);
                for key in keys.filter(|key| key.id == *id) {
                    key.revoked_at.get_or_insert(now);
                }
            }
        }
        Self::new(self.version + 1, principals.into_values())
    }

    /// A principal that is not the caller.
    fn other(&self, caller: &Caller, id: PrincipalId) -> Result<&Principal, Forbidden> {
        let principal = self.principal(id).ok_or(Forbidden::NoPrincipal(id))?;
        if id == caller.principal {
            return Err(Forbidden::OwnRights);
        }
        Ok(principal)
    }

    /// A key is worth what its principal may do. Somebody who replaces the own key wins nothing by it if the
    /// new one does not outlive the old one.
    fn check_new_key(
        &self,
        caller: &Caller,
        id: PrincipalId,
        key: &Key,
        now: i64,
    ) -> Result<(), Forbidden> {
        let principal = self.principal(id).ok_or(Forbidden::NoPrincipal(id))?;
        if principal.kind != PrincipalKind::Key {
            return Err(Forbidden::NotByKey);
        }
        within("keys", principal.keys.len() + 1, KEYS_MAX)?;
        if id != caller.principal {
            return covers(caller, principal.good_grants(now));
        }
        let shown = caller.key.and_then(|key| self.key(key));
        let (_, shown) = shown.ok_or(Forbidden::OwnRights)?;
        let lasts = outlasts(shown.expires_at, key.expires_at);
        if lasts {
            Ok(())
        } else {
            Err(Forbidden::OwnRights)
        }
    }
}

/// A change of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// Somebody new, with grants and keys.
    CreatePrincipal(Principal),
    /// Somebody is gone, with grants and keys.
    DeletePrincipal(PrincipalId),
    /// A grant, and when it is given.
    CreateGrant(PrincipalId, Grant, i64),
    /// A grant is taken away.
    DeleteGrant(GrantId),
    /// A new key.
    CreateKey(PrincipalId, Key),
    /// A key is no longer good.
    RevokeKey(KeyId),
}

/// Why the directory is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// There is no such principal.
    NoPrincipal(PrincipalId),
    /// There is no such grant.
    NoGrant(GrantId),
    /// There is no such key.
    NoKey(KeyId),
    /// There is somebody of this kind and name.
    NameTaken,
    /// The principal proves who it is in another way than by keys.
    NotByKey,
    /// They are the caller's own rights.
    OwnRights,
    /// The caller does not have them.
    BeyondOwnRights,
    /// Nobody would be left who can give rights.
    LastAdmin,
    /// There would be more of these than there can be.
    TooMany(&'static str, usize),
}

fn within(what: &'static str, count: usize, max: usize) -> Result<(), Forbidden> {
    if count > max {
        return Err(Forbidden::TooMany(what, max));
    }
    Ok(())
}

fn check_limits(principal: &Principal) -> Result<(), Forbidden> {
    within("grants", principal.grants.len(), GRANTS_MAX)?;
    within("keys", principal.keys.len(), KEYS_MAX)?;
    let listed = principal
        .grants
        .iter()
        .map(|(grant, _)| match &grant.customers {
            Customers::All => 0,
            Customers::Listed(listed) => listed.len(),
        });
    within("customers", listed.sum(), GRANTED_CUSTOMERS_MAX)
}

/// True if what ends at the first time lasts at least as long as what ends at the second.
fn outlasts(first: Option<i64>, second: Option<i64>) -> bool {
    first.is_none_or(|first| second.is_some_and(|second| second <= first))
}

/// Refuses grants that the caller does not have: each role for all of its customers, for as long.
fn covers<'a>(
    caller: &Caller,
    grants: impl IntoIterator<Item = &'a Grant>,
) -> Result<(), Forbidden> {
    let has = |role: Role, grant: &Grant| {
        let roles = Roles::of(&[role, Role::GlobalAdmin]);
        let mut own = caller.clone();
        own.grants
            .retain(|own| outlasts(own.expires_at, grant.expires_at));
        own.customers(roles).contain_all(&grant.customers)
    };
    let mut grants = grants.into_iter();
    let covered = grants.all(|grant| grant.roles.iter().all(|role| has(role, grant)));
    if covered {
        Ok(())
    } else {
        Err(Forbidden::BeyondOwnRights)
    }
}

#[cfg(test)]
mod tests;
