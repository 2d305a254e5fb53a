//! Previews: what a batch would do, as a stream like the one of its results.

use tokio::sync::mpsc;

use super::batch::new_batch;
use super::{BatchRequest, Error, Event, Service};
use crate::store::{CustomerStore, NewBatch, Preview, Previewed};

/// Previews that one server works on at the same time; the others wait. Each holds a connection
/// for as long as it goes on.
pub(super) const RUNNING_PREVIEWS_MAX: usize = 4;
/// Parts that wait for a slow reader.
const PARTS_BUFFERED: usize = 2;

impl Service {
    /// Streams what a batch would do now: `Started`, results, and `Summary` last. Nothing changes.
    /// The channel closes early if the receiver is dropped, or with an error.
    pub fn preview(&self, request: BatchRequest) -> mpsc::Receiver<Result<Event, Error>> {
        let (events, receiver) = mpsc::channel(PARTS_BUFFERED);
        let service = self.clone();
        self.0.tasks.spawn(async move {
            let (store, new) = (service.0.store.of(request.scope), new_batch(request));
            let error = match service.show(&store, &new, &events).await {
                Err(error) => error,
                Ok(()) if service.0.stopping.is_cancelled() => Error::ShuttingDown,
                Ok(()) => return,
            };
            let _ = events.send(Err(error)).await;
        });
        receiver
    }

    async fn show(
        &self,
        store: &CustomerStore,
        new: &NewBatch,
        events: &mpsc::Sender<Result<Event, Error>>,
    ) -> Result<(), Error> {
        let _slot = self.0.previews.acquire().await;
        loop {
            let rehearse = self.rehearse(self.catalogue().await?, new, true);
            match store
                .preview_batch(new, &rehearse, events, &self.0.stopping)
                .await?
            {
                Previewed::Done => return Ok(()),
                Previewed::CatalogueMoved => {}
            }
        }
    }
}

impl From<Preview> for Result<Event, Error> {
    fn from(part: Preview) -> Self {
        Ok(match part {
            Preview::Started(batch) => Event::Started(batch),
            Preview::Results(results) => Event::Results(results, 0),
            Preview::Ended(batch, tally, promise) => Event::Summary(batch, tally, Some(promise)),
        })
    }
}
