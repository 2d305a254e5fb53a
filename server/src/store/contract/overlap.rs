//! What checks of concurrency share. A check whose calls ran one after another shows nothing, so it
//! fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::Snapshot;
use crate::store::Decide;

/// Counts the calls that are under way.
#[derive(Default)]
pub(super) struct Overlap {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Overlap {
    /// Counts a call while it is under way.
    pub(super) async fn during<T>(&self, call: impl Future<Output = T>) -> T {
        self.begin();
        let output = call.await;
        self.end();
        output
    }

    pub(super) fn begin(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many are under way.
    pub(super) fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    /// How many were under way at once at most.
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(super) fn assert_happened(&self) {
        assert!(
            self.most() > 1,
            "the calls did not overlap: this shows nothing"
        );
    }
}

/// A decision that says when it is begun, and then waits.
pub(super) fn slow(
    decide: Decide,
    wait: impl Fn() + Send + Sync + 'static,
) -> (Decide, Arc<Notify>) {
    let begun = Arc::new(Notify::new());
    let notify = begun.clone();
    let slow = move |snapshot: &Snapshot| {
        notify.notify_one();
        // Lets go of the tasks that wait for this thread, too.
        tokio::task::block_in_place(&wait);
        decide(snapshot)
    };
    (Arc::new(slow), begun)
}

/// Lets time pass, in which others that need not wait get on.
pub(super) fn pause(millis: u64) -> impl Fn() + Send + Sync + 'static {
    move || std::thread::sleep(Duration::from_millis(millis))
}
