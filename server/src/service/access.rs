//! Access: the directory as this server knows it, and its changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Error, Service, now};
use crate::domain::{
    ANONYMOUS, AccessChange, Caller, Customers, Directory, Grant, GrantId, Key, KeyId, Origin,
    Principal, PrincipalId, PrincipalKind, Role, Roles, Scope, Secret,
};
use crate::store::Timestamp;

/// How long the directory is taken for current without looking whether another server has changed it.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// Uses of a key are noted to the minute.
const MINUTE: i64 = 60_000_000;

/// What is known of the directory.
#[derive(Default)]
pub(super) struct Access {
    known: Mutex<(Arc<Directory>, Option<Instant>)>,
    /// Held by whoever looks for a change, so that the others wait instead of looking, too.
    looking: tokio::sync::Mutex<()>,
    /// When the uses of keys were last noted.
    noted: Mutex<HashMap<KeyId, i64>>,
}

impl Access {
    fn known(&self) -> (Arc<Directory>, Option<Instant>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Keeps a directory unless a newer one is known.
    fn keep(&self, directory: &Arc<Directory>, read_at: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0.version <= directory.version {
            *known = (directory.clone(), Some(read_at));
        }
    }
}

impl Service {
    /// The directory, as this or another server has last changed it more than a second ago.
    pub async fn directory(&self) -> Result<Arc<Directory>, Error> {
        let is_fresh = |(_, read_at): &(_, Option<Instant>)| {
            read_at.is_some_and(|read_at| read_at.elapsed() < FRESH_FOR)
        };
        let access = &self.0.access;
        let known = access.known();
        if is_fresh(&known) {
            return Ok(known.0);
        }
        let _looking = access.looking.lock().await;
        let known = access.known();
        if is_fresh(&known) {
            return Ok(known.0);
        }
        self.fresh_directory().await
    }

    /// The directory as it is at this moment.
    pub async fn fresh_directory(&self) -> Result<Arc<Directory>, Error> {
        let access = &self.0.access;
        let read_at = Instant::now();
        let version = self
            .call(|store| async move { store.access_version().await })
            .await?;
        let (known, was_read) = access.known();
        let directory = if was_read.is_some() && known.version == version {
            known
        } else {
            let read = self.call(|store| async move { store.directory().await });
            Arc::new(read.await?)
        };
        access.keep(&directory, read_at);
        Ok(directory)
    }

    /// Changes the directory, if its rules let the caller.
    pub async fn change_access(
        &self,
        caller: Caller,
        change: AccessChange,
        origin: Origin,
    ) -> Result<Arc<Directory>, Error> {
        let service = self.clone();
        // Who was told that a right is gone must not see it used on this server afterwards.
        let changing = async move {
            let read_at = Instant::now();
            let store = &service.0.store;
            let changed = store.change_access(&caller, &change, &origin, now()).await;
            let directory = Arc::new(changed?);
            service.0.access.keep(&directory, read_at);
            Ok(directory)
        };
        self.0.tasks.spawn(changing).await?
    }

    /// The principals as stored, also with the last uses of their keys.
    pub async fn principals(&self) -> Result<Directory, Error> {
        self.call(|store| async move { store.directory().await })
            .await
    }

    /// Notes that a key was used, at most once a minute, and without anybody waiting for it.
    pub fn note_use(&self, key: KeyId) {
        let minute = now().0 / MINUTE * MINUTE;
        let mut noted = self
            .0
            .access
            .noted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if noted.insert(key, minute) == Some(minute) {
            return;
        }
        let store = self.0.store.clone();
        self.0.tasks.spawn(async move {
            if let Err(error) = store.note_use(key, Timestamp(minute)).await {
                tracing::debug!(%key, %error, "the use of a key was not noted");
            }
        });
    }

    /// True if there is somebody who may call.
    pub async fn has_principals(&self) -> Result<bool, Error> {
        let directory = self.fresh_directory().await?;
        Ok(directory.principals().next().is_some())
    }

    /// Makes a global admin with this key by the service itself; false if there is one of this name.
    pub async fn create_admin(&self, name: &str, through: &str, key: Key) -> Result<bool, Error> {
        let now = now().0;
        let everything = new_grant(Roles::of(&[Role::GlobalAdmin]), Customers::All, None);
        let admin = Principal {
            id: PrincipalId(Uuid::now_v7()),
            kind: PrincipalKind::Key,
            name: name.to_owned(),
            created_at: now,
            grants: vec![(everything, now)],
            keys: vec![key],
        };
        let origin = Origin {
            who: "seatwise".to_owned(),
            through: through.to_owned(),
            ..Origin::default()
        };
        let change = AccessChange::CreatePrincipal(admin);
        match self
            .change_access(Caller::everybody(), change, origin)
            .await
        {
            Ok(_) => Ok(true),
            Err(Error::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// True if who asked for something that is being done may still have it done: to a customer, with one
    /// of the roles.
    pub(super) async fn may_go_on(
        &self,
        origin: &Origin,
        scope: Scope,
        roles: Roles,
    ) -> Result<bool, Error> {
        if origin.who == ANONYMOUS {
            return Ok(true);
        }
        let Some((principal, key)) = who(origin) else {
            return Ok(false);
        };
        let directory = self.fresh_directory().await?;
        let now = now().0;
        let key_is_good = key.is_none_or(|key| {
            let key = directory.key(key);
            key.is_some_and(|(of, key)| of.id == principal && key.is_good(now))
        });
        let caller = directory.caller(principal, key, now);
        Ok(key_is_good && caller.enter(scope.customer(), roles).is_ok())
    }
}

/// A new grant.
pub fn new_grant(roles: Roles, customers: Customers, expires_at: Option<i64>) -> Grant {
    Grant {
        id: GrantId(Uuid::now_v7()),
        roles,
        customers,
        expires_at,
    }
}

/// A new key, and how its owner is to show it.
pub fn new_key(expires_at: Option<i64>) -> Result<(Key, String), Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::Random(error.to_string()))?;
    let secret = Secret::new(random);
    let id = KeyId(Uuid::now_v7());
    let key = Key {
        id,
        hash: secret.hash(),
        expires_at,
        revoked_at: None,
        used_at: None,
        created_at: now().0,
    };
    Ok((key, secret.show(id)))
}

/// The principal and the key that the origin of a stored principal names.
fn who(origin: &Origin) -> Option<(PrincipalId, Option<KeyId>)> {
    let (principal, key) = match origin.who.split_once('/') {
        Some((principal, key)) => (principal, Some(KeyId::parse(key).ok()?)),
        None => (origin.who.as_str(), None),
    };
    Some((PrincipalId::parse(principal).ok()?, key))
}
