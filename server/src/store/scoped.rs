//! The store of one customer: everything that reads or writes the rows of a customer is a method here,
//! spread over the modules by what it is about. Nothing leads from it to another customer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{Db, Store};
use crate::domain::{CustomerId, Scope};

/// The store of one customer, or of what the installation's journal has. Cheap to clone.
#[derive(Clone)]
pub struct CustomerStore {
    pub(super) db: Db,
    pub(super) customer: CustomerId,
    queues: Queues,
}

impl Store {
    /// The rows of the customer that was entered; the one way to them.
    pub fn of(&self, scope: Scope) -> CustomerStore {
        CustomerStore {
            db: self.db.clone(),
            customer: scope.customer(),
            queues: self.queues.clone(),
        }
    }
}

impl CustomerStore {
    /// Waits until no other call of this process writes to the customer, before a connection is
    /// taken: those that wait for the customer's row would otherwise hold the whole pool.
    pub(super) async fn queue(&self) -> tokio::sync::OwnedMutexGuard<()> {
        self.queues.of(self.customer).lock_owned().await
    }
}

/// One queue per customer that is being written to.
#[derive(Clone, Default)]
pub(super) struct Queues(Arc<Mutex<HashMap<CustomerId, Weak<tokio::sync::Mutex<()>>>>>);

impl Queues {
    fn of(&self, customer: CustomerId) -> Arc<tokio::sync::Mutex<()>> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(&customer).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::default();
        queues.insert(customer, Arc::downgrade(&queue));
        queue
    }
}
