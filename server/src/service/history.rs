//! Histories, and the journal that they are read from.

use super::{Error, Service};
use crate::domain::{BatchId, ChoiceId, Choices, ProductId, Record, RecordKind, Scope, UserRef};
use crate::store::{
    Checkpoint, CustomerStore, HistoryFilter, JournalPart, Recorded, Subject, Timestamp, UserThen,
};

/// Records in one part of a journal.
const PART_RECORDS: i64 = 1_000;

/// What a history is about.
#[derive(Debug, Clone)]
pub enum About {
    /// Everything of the customer.
    Everything,
    /// A user.
    User(UserRef),
    /// The license of a product.
    License(ProductId),
    /// A batch.
    Batch(BatchId),
}

/// Which records to list.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// What they are about.
    pub about: About,
    /// Of which kinds; none means all.
    pub kinds: Vec<RecordKind>,
    /// Not committed before this time.
    pub from: Option<Timestamp>,
    /// Committed before this time.
    pub until: Option<Timestamp>,
}

impl Service {
    /// Returns up to `limit` records before a place, the newest first, with the choices that they name.
    pub async fn history(
        &self,
        scope: Scope,
        query: HistoryQuery,
        before: Option<i64>,
        limit: i64,
    ) -> Result<(Vec<Recorded>, Choices), Error> {
        let list = |store: CustomerStore| async move {
            let subject = match query.about {
                About::Everything => Subject::Everything,
                About::User(UserRef::Id(id)) => Subject::User(id),
                About::User(user) => Subject::User(store.user(&user).await?.user_id),
                About::License(product) => Subject::License(product),
                About::Batch(batch) => Subject::Batch(batch),
            };
            let filter = HistoryFilter {
                subject,
                kinds: query.kinds,
                from: query.from,
                until: query.until,
            };
            let found = store.history(&filter, before, limit).await?;
            let named = named(found.iter().map(|recorded| &recorded.record));
            Ok((found, store.choices(named).await?))
        };
        self.call_in(scope, list).await
    }

    /// Says what was so of a user at a time.
    pub async fn user_at(
        &self,
        scope: Scope,
        user: UserRef,
        at: Timestamp,
    ) -> Result<UserThen, Error> {
        let read = |store: CustomerStore| async move {
            let id = match user {
                UserRef::Id(id) => id,
                user => store.user(&user).await?.user_id,
            };
            store.user_then(id, at).await
        };
        self.call_in(scope, read).await
    }

    /// The ends of a journal: the last commit of what was pruned, if anything was, and its last one.
    pub async fn journal_ends(
        &self,
        scope: Scope,
    ) -> Result<(Option<Checkpoint>, Checkpoint), Error> {
        let read = |store: CustomerStore| async move {
            Ok((store.start().await?, store.checkpoint().await?))
        };
        self.call_in(scope, read).await
    }

    /// Returns the part of a journal after a position.
    pub async fn journal(&self, scope: Scope, after: i64) -> Result<JournalPart, Error> {
        self.call_in(scope, |store| async move {
            store.journal(after, PART_RECORDS).await
        })
        .await
    }

    /// Decodes the records of a part, as far as they are whole, and gives the choices that they name.
    pub async fn decode(
        &self,
        scope: Scope,
        part: &JournalPart,
    ) -> Result<(Vec<Option<Record>>, Choices), Error> {
        let records = part.records.iter().map(|record| record.decode().ok());
        let records: Vec<Option<Record>> = records.collect();
        let named = named(records.iter().flatten());
        let choices = self.call_in(scope, |store| async move { store.choices(named).await });
        let choices = choices.await?;
        Ok((records, choices))
    }
}

/// The choices that records name.
pub(super) fn named<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<ChoiceId> {
    let edits = records.filter_map(|record| match record {
        Record::Assignments(_, edits) => Some(edits),
        _ => None,
    });
    let choices = edits.flatten().flat_map(|edit| [edit.before, edit.after]);
    choices.flatten().collect()
}
