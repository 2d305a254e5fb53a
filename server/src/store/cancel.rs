//! Cancelling a batch. It is told to stop under the customer's lock: the chunk that is being written
//! comes first, and the next one finds that everybody is to be skipped.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::CustomerStore;
use super::batches::{Batch, RUNNING, encode_stop, not_found};
use super::error::Error;
use super::journal::Journal;
use super::record::Draft;
use super::schema::batches as b;
use super::types::{Id, Timestamp};
use crate::domain::{BatchId, Origin, Record, Stop};

impl CustomerStore {
    /// Tells a batch to skip the rest, unless it has ended or does so already.
    pub async fn cancel_batch(
        &self,
        id: BatchId,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Batch, Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        let key = (Id::from(customer), Id::from(id));
        write_tx!(self, conn => {
            lock_customer!(conn, customer)?;
            let goes_on = b::table
                .find(key)
                .filter(b::state.eq(RUNNING))
                .filter(b::stopped.eq(encode_stop(None)));
            let cancelled = diesel::update(goes_on)
                .set(b::stopped.eq(encode_stop(Some(Stop::Cancelled))))
                .execute(conn)
                .await?;
            if cancelled == 1 {
                let draft = Draft::new(customer, origin, now).of_batch(id);
                conn.record(draft.record(&Record::BatchCancelled(id))).await?;
            }
            let found = b::table.find(key).select(Batch::as_select()).first(conn).await;
            found.optional()?.ok_or_else(|| not_found(id))
        })
    }
}
