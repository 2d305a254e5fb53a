//! The chain of a customer's commits, or of the installation's, as whoever verifies it reads it.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;

use super::CustomerStore;
use super::error::{Error, Refusal};
use super::portable::portable;
use super::record::{HeadRow, decode};
use super::retention::ReadStart;
use super::schema::{changes as ch, commits as k, customers as c, installation as i};
use super::types::{Guid, Id, Timestamp};
use crate::domain::{BatchId, Comment, INSTALLATION, Origin, Record, RequestId};

/// Records of one part are cut beyond so many bytes.
const PART_BYTES: usize = 1024 * 1024;

/// A place in a chain that can be kept elsewhere, to see later whether the chain still leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the last record; 0 if there is none.
    pub position: i64,
    /// Hash of the last commit.
    pub hash: [u8; 32],
    /// When it was committed.
    pub at: Timestamp,
}

/// A record as it is stored and hashed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = ch)]
pub struct StoredRecord {
    /// Its number.
    pub seq: i64,
    /// The number of its kind.
    pub kind: i16,
    /// The thing that it is about.
    pub thing_id: Id,
    /// What was done.
    pub details: Vec<u8>,
}

/// A commit as it is stored and hashed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = k)]
pub struct StoredCommit {
    /// Number of its last record.
    pub last_seq: i64,
    /// Number of its first record.
    pub first_seq: i64,
    /// When it was made.
    pub committed_at: Timestamp,
    /// Its link.
    pub hash: Vec<u8>,
    /// The caller.
    pub who: String,
    /// The RPC.
    pub through: String,
    /// The caller's name for the request.
    pub request_id: Option<Id>,
    /// The batch that it belongs to.
    pub batch_id: Option<Id>,
    /// The caller's reason.
    pub comment: String,
}

/// A part of a journal: records, and the commits that end among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalPart {
    /// The records in order.
    pub records: Vec<StoredRecord>,
    /// The commits in order.
    pub commits: Vec<StoredCommit>,
    /// True if nothing follows.
    pub is_last: bool,
}

impl StoredRecord {
    /// What was done.
    pub fn decode(&self) -> Result<Record, Error> {
        decode(self.kind, self.thing_id, &self.details)
    }
}

impl CustomerStore {
    /// The end of a chain.
    pub async fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let chain = self.customer;
        let head: Option<HeadRow> = read!(self, conn => {
            if chain == INSTALLATION {
                let head = i::table.find(1).select((i::change_seq, i::change_hash, i::changed_at));
                head.first(conn).await.optional()
            } else {
                let key = c::table.find(Id::from(chain));
                let head = key.select((c::change_seq, c::change_hash, c::changed_at));
                head.first(conn).await.optional()
            }
        })?;
        let head = head.ok_or_else(|| super::customers::not_found(chain))?;
        head.try_into()
    }

    /// Returns up to `limit` records after a position, with the commits that end among them; in the
    /// last part also those that end beyond, of which there are none in a chain that is whole. Refused
    /// if the journal begins after that position.
    pub async fn journal(&self, after: i64, limit: i64) -> Result<JournalPart, Error> {
        let customer = Id::from(self.customer);
        read_tx!(self, conn => {
            if let Some(start) = conn.start(self.customer).await?
                && after < start.position
            {
                return Err(start.pruned());
            }
            let mut records: Vec<StoredRecord> = ch::table
                .filter(ch::customer_id.eq(customer))
                .filter(ch::seq.gt(after))
                .order(ch::seq)
                .limit(limit)
                .select(StoredRecord::as_select())
                .load(conn)
                .await?;
            let is_full = records.len() as i64 == limit;
            let is_last = !cut(&mut records) && !is_full;
            let end = records.last().map_or(after, |record| record.seq);
            let mut commits = k::table
                .filter(k::customer_id.eq(customer))
                .filter(k::last_seq.gt(after))
                .order(k::last_seq)
                .limit(limit)
                .select(StoredCommit::as_select())
                .into_boxed();
            if !is_last {
                commits = commits.filter(k::last_seq.le(end));
            }
            let commits = commits.load(conn).await?;
            Ok(JournalPart { records, commits, is_last })
        })
    }

    /// Who asked for a batch.
    pub async fn batch_origin(&self, batch: BatchId) -> Result<Origin, Error> {
        type Row = (String, String, Option<Id>, String);
        let accepted = portable("SELECT who, through, request_id, comment FROM commits")
            .per_engine("", " INDEXED BY commits_batch_idx")
            .sql(" WHERE customer_id = ")
            .id(self.customer)
            .sql(" AND batch_id = ")
            .id(batch)
            .sql(" ORDER BY last_seq")
            .limit(1)
            .returning::<(Text, Text, Nullable<Guid>, Text)>();
        let found: Option<Row> = read!(self, conn => {
            accepted.get_result(conn).await.optional()
        })?;
        let (who, through, request, comment) = found.ok_or_else(|| Refusal::NotFound {
            resource: "batch",
            id: batch.to_string(),
        })?;
        let comment =
            Comment::parse(&comment).map_err(|problem| Error::Broken(problem.to_owned()))?;
        let request = request.map(RequestId::from);
        Ok(Origin {
            who,
            through,
            request,
            comment,
        })
    }
}

/// Cuts records that are too large for one part; says whether it did.
fn cut(records: &mut Vec<StoredRecord>) -> bool {
    let mut bytes = 0;
    let fits = |record: &&StoredRecord| {
        bytes += record.details.len();
        bytes <= PART_BYTES
    };
    let fitting = records.iter().take_while(fits).count().max(1);
    let is_cut = fitting < records.len();
    records.truncate(fitting);
    is_cut
}
