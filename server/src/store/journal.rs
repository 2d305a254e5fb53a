//! Writing the journal: a commit with its records, in the transaction that it is about, under the lock
//! of its chain.

pub(super) mod postgres;
pub(super) mod sqlite;

use diesel_async::AsyncPgConnection;

use super::error::Error;
use super::record::Draft;

/// Records what a transaction has done. Each engine writes in its own idiom.
pub(super) trait Journal {
    /// Writes a commit with its records, unless it has none. The chain must be locked.
    async fn record(&mut self, draft: Draft) -> Result<(), Error>;
}

impl Journal for AsyncPgConnection {
    async fn record(&mut self, draft: Draft) -> Result<(), Error> {
        if draft.rows.is_empty() {
            return Ok(());
        }
        let head = postgres::head(self, draft.customer).await?;
        postgres::write(self, &head, &draft).await
    }
}

impl Journal for super::sqlite::Connection {
    async fn record(&mut self, draft: Draft) -> Result<(), Error> {
        let write = self.spawn_blocking(move |conn| Ok(sqlite::write(conn, &draft)));
        write.await?.map(drop)
    }
}
