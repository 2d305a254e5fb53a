//! Reading the journal: histories. What a user held at some time is read in `past.rs`, the chain itself in
//! `chain.rs`.
//!
//! Every page costs the same however long the journal is: what is about a thing is found by
//! `changes_thing_idx`, rare kinds by `changes_kind_idx`, the commits of a batch by
//! `commits_batch_idx`, and a time is turned into a place by `commits_committed_at_key`. SQLite is told
//! so: it would walk the key instead, past everything else.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt, Text};
use diesel_async::RunQueryDsl;

use super::CustomerStore;
use super::error::{Error, Refusal};
use super::lookup::Lookup;
use super::portable::{Portable, portable};
use super::record::decode;
use super::schema::{commits as k, users as u};
use super::types::{Guid, Id, Instant, Timestamp};
use crate::domain::{
    BatchId, CustomerId, INSTALLATION, ProductId, Record, RecordKind, RequestId, UserId,
};

/// Commits of a batch that are looked through at once.
const BATCH_COMMITS: i64 = 100;

/// What a history is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Everything of the customer.
    Everything,
    /// A user.
    User(UserId),
    /// The license of a product.
    License(ProductId),
    /// What a batch did.
    Batch(BatchId),
}

/// Which records to list.
#[derive(Debug, Clone)]
pub struct HistoryFilter {
    /// What they are about.
    pub subject: Subject,
    /// Of which kinds; none means all.
    pub kinds: Vec<RecordKind>,
    /// Not committed before this time.
    pub from: Option<Timestamp>,
    /// Committed before this time.
    pub until: Option<Timestamp>,
}

/// A record with the commit that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number in the journal.
    pub seq: i64,
    /// What was done.
    pub record: Record,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// The caller.
    pub who: String,
    /// The RPC.
    pub through: String,
    /// The caller's name for the request, if it had one.
    pub request: Option<RequestId>,
    /// The batch that it belongs to, if it does.
    pub batch: Option<BatchId>,
    /// The caller's reason; empty if none was given.
    pub comment: String,
    /// The principal name, now, of the user whom it is about; empty if there is none.
    pub principal_name: String,
}

/// A row of `changes` and its commit.
pub(super) type RecordedRow = (
    (i64, i16, Id, Vec<u8>),
    (Timestamp, String, String, Option<Id>, Option<Id>, String),
);
pub(super) type RecordedColumns = (
    (BigInt, SmallInt, Guid, Binary),
    (Instant, Text, Text, Nullable<Guid>, Nullable<Guid>, Text),
);

impl CustomerStore {
    /// Returns up to `limit` records before the place `before`, the newest first, as far back as the
    /// journal is kept.
    pub async fn history(
        &self,
        filter: &HistoryFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Recorded>, Error> {
        let mut range = self.places(filter.from, filter.until).await?;
        range.end = range.end.min(before.unwrap_or(i64::MAX));
        let of = |select| Rows {
            customer: self.customer,
            select,
            range: range.clone(),
            order: Order::NewestFirst,
            limit,
        };
        let kinds = filter.mask();
        let found = match filter.subject {
            Subject::User(user) => self.recorded(of(Select::Thing(user.into(), kinds))).await?,
            Subject::License(product) => {
                self.recorded(of(Select::Thing(product.into(), kinds)))
                    .await?
            }
            Subject::Batch(batch) => self.of_batch(of(Select::Kinds(kinds)), batch).await?,
            Subject::Everything if filter.kinds.is_empty() => {
                self.recorded(of(Select::All)).await?
            }
            Subject::Everything => {
                let mut found = Vec::new();
                for kind in &filter.kinds {
                    found.extend(self.recorded(of(Select::Kind(*kind))).await?);
                }
                found.sort_by_key(|recorded| -recorded.seq);
                found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                found
            }
        };
        if found.is_empty() {
            self.check_subject(filter.subject).await?;
        }
        Ok(found)
    }

    /// Refuses if there is no such thing, and never was.
    async fn check_subject(&self, subject: Subject) -> Result<(), Error> {
        match subject {
            Subject::Everything if self.customer == INSTALLATION => Ok(()),
            Subject::Everything => self.customer().await.map(drop),
            Subject::License(product) => self.license(product).await.map(drop),
            Subject::Batch(batch) => self.batch(batch).await.map(drop),
            Subject::User(user) => {
                let known: Option<i64> = read!(self, conn => {
                    let key = (Id::from(self.customer), Id::from(user));
                    u::table.find(key).select(u::version).first(conn).await.optional()
                })?;
                if known.is_some() {
                    return Ok(());
                }
                self.customer().await?;
                Err(no_user(user))
            }
        }
    }

    /// The places of what was committed at these times.
    async fn places(
        &self,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Range<i64>, Error> {
        let start = self.start().await?;
        let mut places = start.map_or(0, |start| start.position + 1)..i64::MAX;
        if let Some(from) = from {
            places.start = places.start.max(self.position(from).await? + 1);
        }
        if let Some(until) = until {
            places.end = self.position(until).await? + 1;
        }
        Ok(places)
    }

    /// The position of the last commit before a time; 0 if there is none.
    pub(super) async fn position(&self, before: Timestamp) -> Result<i64, Error> {
        let last: Option<i64> = read!(self, conn => {
            let last = k::table
                .filter(k::customer_id.eq(Id::from(self.customer)))
                .filter(k::committed_at.lt(before))
                .order((k::committed_at.desc(), k::last_seq.desc()))
                .select(k::last_seq);
            last.first(conn).await.optional()
        })?;
        Ok(last.unwrap_or(0))
    }

    /// Reads rows of `changes` with their commits.
    pub(super) async fn recorded(&self, rows: Rows) -> Result<Vec<Recorded>, Error> {
        let statement = rows.with_commits();
        let found: Vec<RecordedRow> = read!(self, conn => { statement.load(conn).await })?;
        let found: Result<Vec<Recorded>, Error> =
            found.into_iter().map(Recorded::try_from).collect();
        let mut found = found?;
        let users: HashSet<Id> = found.iter().filter_map(Recorded::user).collect();
        if !users.is_empty() {
            let users: Vec<Id> = users.into_iter().collect();
            let customer = Id::from(rows.customer);
            let names = read!(self, conn => { conn.users_by_id(customer, &users).await })?;
            let names: HashMap<Id, String> = names.into_iter().collect();
            for recorded in &mut found {
                let name = recorded.user().and_then(|user| names.get(&user));
                recorded.principal_name = name.cloned().unwrap_or_default();
            }
        }
        Ok(found)
    }

    /// The records of a batch: its commits from the newest, each with its records.
    async fn of_batch(&self, rows: Rows, batch: BatchId) -> Result<Vec<Recorded>, Error> {
        let (customer, Range { start, end }) = (Id::from(rows.customer), rows.range.clone());
        // The commit that holds the last place may end beyond it.
        let last: Option<i64> = read!(self, conn => {
            let last = k::table
                .filter(k::customer_id.eq(customer))
                .filter(k::last_seq.ge(end - 1))
                .order(k::last_seq)
                .select(k::last_seq);
            last.first(conn).await.optional()
        })?;
        let mut last = last.unwrap_or(i64::MAX);
        let mut found = Vec::new();
        loop {
            let commits = portable("SELECT first_seq, last_seq FROM commits")
                .per_engine("", " INDEXED BY commits_batch_idx")
                .sql(" WHERE customer_id = ")
                .id(customer)
                .sql(" AND batch_id = ")
                .id(batch)
                .sql(" AND last_seq >= ")
                .number(start)
                .sql(" AND last_seq <= ")
                .number(last)
                .sql(" ORDER BY last_seq DESC")
                .limit(BATCH_COMMITS)
                .returning::<(BigInt, BigInt)>();
            let commits: Vec<(i64, i64)> = read!(self, conn => { commits.load(conn).await })?;
            for (first_seq, last_seq) in &commits {
                let mut of_commit = rows.clone();
                of_commit.range = (*first_seq).max(start)..end.min(last_seq + 1);
                of_commit.limit -= found.len() as i64;
                found.extend(self.recorded(of_commit).await?);
                if found.len() as i64 == rows.limit {
                    return Ok(found);
                }
            }
            match commits.last() {
                Some((first_seq, _)) if commits.len() as i64 == BATCH_COMMITS => {
                    last = first_seq - 1;
                }
                _ => return Ok(found),
            }
        }
    }
}

/// Which rows of `changes` to read.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) customer: CustomerId,
    pub(super) select: Select,
    pub(super) range: Range<i64>,
    pub(super) order: Order,
    pub(super) limit: i64,
}

#[derive(Clone, Copy)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

#[derive(Clone)]
pub(super) enum Select {
    All,
    Kind(RecordKind),
    /// Any of the kinds whose bits are set.
    Kinds(i64),
    Thing(Id, i64),
}

impl HistoryFilter {
    /// The bits of the kinds that are listed. Things of different kinds may have the same id.
    fn mask(&self) -> i64 {
        use RecordKind as Kind;
        let is_asked = |kind: &Kind| self.kinds.is_empty() || self.kinds.contains(kind);
        let is_about = |kind: &Kind| match self.subject {
            Subject::User(_) => is_of_user(*kind),
            Subject::License(_) => (Kind::SeatsSet..=Kind::SeatsMoved).contains(kind),
            Subject::Everything | Subject::Batch(_) => true,
        };
        let listed = Kind::ALL
            .into_iter()
            .filter(|kind| is_asked(kind) && is_about(kind));
        mask(listed)
    }
}

/// The bits of kinds.
pub(super) fn mask(kinds: impl IntoIterator<Item = RecordKind>) -> i64 {
    let kinds = kinds.into_iter();
    kinds.fold(0, |mask, kind| mask | 1 << kind as i16)
}

pub(super) fn no_user(user: UserId) -> Error {
    let (resource, id) = ("user", user.to_string());
    Refusal::NotFound { resource, id }.into()
}

impl Rows {
    /// The newest changes of what a user holds.
    pub(super) fn of_holdings(customer: CustomerId, user: UserId, limit: i64) -> Self {
        Self {
            customer,
            select: Select::Thing(user.into(), mask([RecordKind::Assignments])),
            range: 0..i64::MAX,
            order: Order::NewestFirst,
            limit,
        }
    }

    pub(super) fn statement(&self) -> Portable {
        const KINDS: &str = " AND (CAST(1 AS bigint) << kind) & ";
        let rows = portable("SELECT customer_id, seq, kind, thing_id, details FROM changes");
        let rows = match self.select {
            Select::All | Select::Kinds(_) | Select::Kind(RecordKind::Assignments) => rows,
            Select::Kind(_) => rows.per_engine("", " INDEXED BY changes_kind_idx"),
            Select::Thing(..) => rows.per_engine("", " INDEXED BY changes_thing_idx"),
        };
        let rows = rows.sql(" WHERE customer_id = ").id(self.customer);
        let rows = match self.select {
            Select::All => rows,
            Select::Kind(kind) => {
                let rows = rows.sql(" AND kind = ").number((kind as i16).into());
                // Said in the text, so that the index of the others is seen to serve.
                match kind {
                    RecordKind::Assignments => rows,
                    _ => rows.sql(" AND kind <> 1"),
                }
            }
            Select::Kinds(mask) => rows.sql(KINDS).number(mask).sql(" <> 0"),
            Select::Thing(thing, mask) => rows
                .sql(" AND thing_id = ")
                .id(thing)
                .sql(KINDS)
                .number(mask)
                .sql(" <> 0"),
        };
        rows.sql(" AND seq >= ")
            .number(self.range.start)
            .sql(" AND seq < ")
            .number(self.range.end)
            .sql(match self.order {
                Order::OldestFirst => " ORDER BY seq",
                Order::NewestFirst => " ORDER BY seq DESC",
            })
            .limit(self.limit)
    }

    /// The rows, each with its commit: the first that ends at it or after it.
    pub(super) fn with_commits(&self) -> Portable<RecordedColumns> {
        portable("SELECT r.seq, r.kind, r.thing_id, r.details, k.committed_at, k.who, k.through, ")
            .sql("k.request_id, k.batch_id, k.comment FROM (")
            .append(self.statement())
            .sql(") AS r CROSS JOIN commits AS k WHERE k.customer_id = r.customer_id")
            .sql(" AND k.last_seq = (SELECT min(m.last_seq) FROM commits AS m")
            .sql(" WHERE m.customer_id = r.customer_id AND m.last_seq >= r.seq)")
            .sql(match self.order {
                Order::OldestFirst => " ORDER BY r.seq",
                Order::NewestFirst => " ORDER BY r.seq DESC",
            })
            .returning()
    }
}

impl Recorded {
    /// The user whom it is about.
    fn user(&self) -> Option<Id> {
        let (kind, thing) = self.record.key();
        is_of_user(kind).then_some(Id(thing))
    }
}

/// True if the things of such records are users.
fn is_of_user(kind: RecordKind) -> bool {
    (RecordKind::Assignments..=RecordKind::UserDeleted).contains(&kind)
}

impl TryFrom<RecordedRow> for Recorded {
    type Error = Error;

    fn try_from((row, commit): RecordedRow) -> Result<Self, Error> {
        let (seq, kind, thing, details) = row;
        let (committed_at, who, through, request, batch, comment) = commit;
        Ok(Self {
            seq,
            record: decode(kind, thing, &details)?,
            committed_at,
            who,
            through,
            request: request.map(RequestId::from),
            batch: batch.map(BatchId::from),
            comment,
            principal_name: String::new(),
        })
    }
}
