//! A chain as whoever verifies it sees it: all of its parts, and whether they are whole.

use super::fixture::{Fixture, scope};
use crate::domain::{
    BatchId, Comment, Commit, CustomerId, Cut, Origin, Record, RequestId, hash_record,
};
use crate::store::{Checkpoint, JournalPart, Store, StoredCommit, StoredRecord, Timestamp};

/// Records of one part: few, so that commits are cut.
const PART: i64 = 7;

/// A whole journal, with its ends as kept beside it.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) customer: CustomerId,
    pub(super) start: Option<Checkpoint>,
    pub(super) head: Checkpoint,
    pub(super) records: Vec<StoredRecord>,
    pub(super) commits: Vec<StoredCommit>,
}

impl Chain {
    pub(super) async fn read(store: &Store, customer: CustomerId) -> Self {
        let head = store
            .of(scope(customer))
            .checkpoint()
            .await
            .expect("a checkpoint");
        let start = store.of(scope(customer)).start().await.expect("a start");
        let (mut records, mut commits) = (Vec::new(), Vec::new());
        let mut after = start.as_ref().map_or(0, |start| start.position);
        loop {
            let part = store
                .of(scope(customer))
                .journal(after, PART)
                .await
                .expect("a part");
            let JournalPart {
                records: more,
                commits: ended,
                is_last,
            } = part;
            after = more
                .last()
                .map_or(after, |record: &StoredRecord| record.seq);
            records.extend(more);
            commits.extend(ended);
            if is_last {
                return Self {
                    customer,
                    start,
                    head,
                    records,
                    commits,
                };
            }
        }
    }

    /// What is wrong with it.
    pub(super) fn flaw(&self) -> Option<String> {
        let mut records = self.records.iter().peekable();
        let nothing = Checkpoint {
            position: 0,
            hash: [0; 32],
            at: Timestamp(0),
        };
        let mut last = self.start.clone().unwrap_or(nothing);
        if !self.says_pruned() {
            return Some(format!("no record says that it was pruned up to {last:?}"));
        }
        for stored in &self.commits {
            let Some(commit) = commit(self.customer, stored) else {
                return Some(format!("{stored:?} is none"));
            };
            if commit.first_seq != last.position + 1 || stored.committed_at < last.at {
                return Some(format!("{stored:?} does not follow {last:?}"));
            }
            let mut hashes = Vec::new();
            for seq in commit.first_seq..=commit.last_seq {
                let Some(record) = records.next_if(|record| record.seq == seq) else {
                    return Some(format!("{seq} is missing"));
                };
                hashes.push(hash_record(record.kind, record.thing_id.0, &record.details));
            }
            let hash = commit.link(&last.hash, &hashes);
            if hashes.is_empty() || hash.as_slice() != stored.hash {
                return Some(format!("{stored:?} has another hash"));
            }
            last = Checkpoint {
                position: stored.last_seq,
                hash,
                at: stored.committed_at,
            };
        }
        let rest = records
            .next()
            .map(|record| format!("{record:?} is too many"));
        let is_end = self.head == last || (last.position == 0 && self.head.position == 0);
        rest.or_else(|| (!is_end).then(|| format!("{last:?} is not the end {:?}", self.head)))
    }
}

impl Chain {
    /// True if it begins with its first record, or says that it does not.
    fn says_pruned(&self) -> bool {
        let Some(start) = &self.start else {
            return true;
        };
        let (position, hash, at) = (start.position, start.hash, start.at.0);
        let expected = Record::JournalPruned(self.customer, Cut { position, at, hash });
        let mut records = self.records.iter();
        records.any(|record| record.decode().is_ok_and(|record| record == expected))
    }
}

fn commit(customer: CustomerId, stored: &StoredCommit) -> Option<Commit> {
    let origin = Origin {
        who: stored.who.clone(),
        through: stored.through.clone(),
        request: stored.request_id.map(RequestId::from),
        comment: Comment::parse(&stored.comment).ok()?,
    };
    let is_nil = |id: Option<crate::store::Id>| id.is_some_and(|id| id.0.is_nil());
    if is_nil(stored.request_id) || is_nil(stored.batch_id) {
        return None;
    }
    Some(Commit {
        customer,
        first_seq: stored.first_seq,
        last_seq: stored.last_seq,
        at: stored.committed_at.0,
        origin,
        batch: stored.batch_id.map(BatchId::from),
    })
}

impl Fixture {
    /// The customer's journal, which must be whole.
    pub(super) async fn chain(&self) -> Chain {
        let chain = Chain::read(&self.store, self.customer).await;
        assert_eq!(chain.flaw(), None);
        chain
    }
}
