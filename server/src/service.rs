//! The use cases: what the RPCs ask for, in the words of the domain. Knows the store, never the
//! protocol.
//!
//! Every store call runs in a task of its own (`detached`): a caller that goes away must not drop a
//! transaction half-way.

mod access;
mod batch;
mod compliance;
mod history;
mod import;
mod lists;
mod preview;
mod request;
mod resources;
mod results;
mod retention;
mod selections;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use crate::store::{
    ATOMIC_USERS_MAX, Assignment, Batch, Capacity, CatalogueChange, ChangeKind, Checkpoint,
    Customer, CustomerUpdate, FrozenSelection, GainedPlans, Holding, Id, ImportUser, Imported,
    JournalPart, License, NewUser, PlanOfProduct, Product, ProductFilter, Promise, Recorded,
    Refusal, Retry, Revert, SeatsUpdate, StoredCommit, StoredRecord, StoredResults, StoredRule,
    Timestamp, Unconfirmed, User, UserThen, UserUpdate, Users, ViolationSummary, Violator,
    Violators,
};
pub use access::{new_grant, new_key};
pub use batch::{Encode, Encoding};
pub use history::{About, HistoryQuery};
pub use import::{CustomerImpact, ImpactPart, ImpactTotal, ImportPreview, ImportReport};
pub use lists::{Slice, Sliced};
pub use request::BatchRequest;
pub use results::Event;
pub use retention::{HistoryTooShort, Keep};
pub use selections::{Holdings, LicenseHoldings, PlanHoldings};
pub use watch::{Watch, Watched};

use crate::domain::{Catalogue, Roles, Scope};
use crate::edition::Note;
use crate::store::{self, CustomerStore, Store};

/// Batches that one server works on at the same time; the others wait their turn. Those of one customer
/// wait for each other without holding a connection, so many are cheap, and few would let one
/// customer keep the others out.
const RUNNING_BATCHES_MAX: usize = 1_000;

/// Why a use case did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be done as things are; nothing was done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The file was refused for these problems; nothing was done.
    #[error("file refused: {} problems", .0.len())]
    File(Vec<Note>),
    /// The database is out of reach or busy.
    #[error(transparent)]
    Unavailable(store::Error),
    /// The server is stopping.
    #[error("shutting down")]
    ShuttingDown,
    /// The store is not as it should be: a defect.
    #[error(transparent)]
    Broken(store::Error),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
    /// A task of ours failed: a defect.
    #[error("task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Refused(refusal) => Self::Refused(refusal),
            store::Error::Conflict(_) | store::Error::Unavailable(_) => Self::Unavailable(error),
            store::Error::Broken(_) => Self::Broken(error),
        }
    }
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Shared>);

struct Shared {
    store: Store,
    access: access::Access,
    /// Roles that may have a batch carried out.
    batch_roles: Roles,
    catalogue: Mutex<Arc<Catalogue>>,
    encode: Encode,
    progress: results::Progress,
    ends: watch::Ends,
    running: Arc<Semaphore>,
    previews: Semaphore,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Service {
    /// Puts a service on a store whose schema is current.
    pub fn new(store: Store, encode: Encode, batch_roles: Roles) -> Self {
        Self(Arc::new(Shared {
            store,
            access: access::Access::default(),
            batch_roles,
            catalogue: Mutex::default(),
            encode,
            progress: results::Progress::default(),
            ends: watch::Ends::default(),
            running: Arc::new(Semaphore::new(RUNNING_BATCHES_MAX)),
            previews: Semaphore::new(preview::RUNNING_PREVIEWS_MAX),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }))
    }

    /// Runs a store call in a task of its own and waits for it.
    async fn call<T, F>(&self, call: impl FnOnce(Store) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, store::Error>> + Send + 'static,
    {
        let call = call(self.0.store.clone());
        Ok(self.0.tasks.spawn(call).await??)
    }

    /// The same, for the rows of one customer.
    async fn call_in<T, F>(
        &self,
        scope: Scope,
        call: impl FnOnce(CustomerStore) -> F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, store::Error>> + Send + 'static,
    {
        self.call(|store| call(store.of(scope))).await
    }

    /// The catalogue as it is now, from memory if nobody changed it.
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>, Error> {
        let known = self.known_catalogue();
        let version = self
            .call(|store| async move { store.catalogue_version().await })
            .await?;
        if known.version == version && version != 0 {
            return Ok(known);
        }
        let fresh = self
            .call(|store| async move { store.catalogue().await })
            .await?;
        let fresh = Arc::new(fresh);
        *self
            .0
            .catalogue
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        Ok(fresh)
    }

    /// The catalogue as it was when it was last read.
    pub fn known_catalogue(&self) -> Arc<Catalogue> {
        self.0
            .catalogue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Stops taking batches on, lets each running chunk commit, and hands the batches back, so that
    /// another server or the next start goes on at once.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

/// The time.
#[expect(clippy::disallowed_methods, reason = "the one clock of the service")]
pub fn now() -> Timestamp {
    SystemTime::now().into()
}
