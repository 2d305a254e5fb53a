//! Records as rows of `changes`. What is hashed is part of the protocol, so these bytes never change:
//! `history.proto` describes them. Numbers are little endian, texts come after their length, and -1
//! is no choice.

use super::Timestamp;
use super::batches::{decode_stop, encode_stop};
use super::codec::{
    Reader, damaged, decode_choice, decode_customers, decode_edits, encode_customers, encode_edits,
    encode_plans, put_text,
};
use super::error::Error;
use super::later_plans::{decode_later_plans, encode_later_plans};
use super::types::Id;
use crate::domain::{
    AccessRecord, BatchId, CatalogueRecord, ChoiceId, Commit, CustomerId, Customers, Cut, Guard,
    Moved, Origin, PlanChoice, PlanId, ProductId, Record, RecordKind, Roles, SelectionId,
    UserFields, UserId, hash_record,
};

/// A record to write.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) kind: i16,
    pub(super) thing: Id,
    pub(super) details: Vec<u8>,
}

impl From<&Record> for Row {
    fn from(record: &Record) -> Self {
        let (kind, thing) = record.key();
        Self {
            kind: kind as i16,
            thing: Id(thing),
            details: encode(record),
        }
    }
}

/// A commit to write: who did what when, before it has its place.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) customer: CustomerId,
    origin: Origin,
    batch: Option<BatchId>,
    now: Timestamp,
    pub(super) rows: Vec<Row>,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: [u8; 32],
    pub(super) at: Timestamp,
}

/// The end of a chain as stored.
pub(super) type HeadRow = (i64, Vec<u8>, Timestamp);

impl TryFrom<HeadRow> for Head {
    type Error = Error;

    fn try_from((seq, hash, at): HeadRow) -> Result<Self, Error> {
        let hash = hash.try_into().map_err(|_| damaged())?;
        Ok(Self { seq, hash, at })
    }
}

impl Draft {
    pub(super) fn new(customer: CustomerId, origin: &Origin, now: Timestamp) -> Self {
        Self {
            customer,
            origin: origin.clone(),
            batch: None,
            now,
            rows: Vec::new(),
        }
    }

    /// Says that the commit belongs to a batch.
    pub(super) fn of_batch(mut self, batch: BatchId) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Adds a record.
    pub(super) fn record(mut self, record: &Record) -> Self {
        self.rows.push(record.into());
        self
    }

    /// Adds records.
    pub(super) fn records(mut self, records: impl IntoIterator<Item = Record>) -> Self {
        self.rows
            .extend(records.into_iter().map(|record| Row::from(&record)));
        self
    }

    /// The commit and its hash, if it follows `head`.
    pub(super) fn link(&self, head: &Head) -> (Commit, [u8; 32]) {
        let hash = |row: &Row| hash_record(row.kind, row.thing.0, &row.details);
        let hashes: Vec<[u8; 32]> = self.rows.iter().map(hash).collect();
        let commit = Commit {
            customer: self.customer,
            first_seq: head.seq + 1,
            last_seq: head.seq + self.rows.len() as i64,
            at: self.now.max(head.at).0,
            origin: self.origin.clone(),
            batch: self.batch,
        };
        let hash = commit.link(&head.hash, &hashes);
        (commit, hash)
    }
}

fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    match record {
        Record::Assignments(_, edits) => return encode_edits(edits),
        Record::UserCreated(_, active) | Record::UserDeleted(_, active) => {
            bytes.push(u8::from(*active));
        }
        Record::UserUpdated(_, fields, active) => {
            bytes.push(encode_fields(fields));
            bytes.extend(active.map(u8::from));
        }
        Record::SeatsSet(_, before, after) => {
            for seats in before.iter().chain([after]) {
                put_numbers(&mut bytes, seats);
            }
        }
        Record::LaterPlansSet(_, later) => {
            bytes.extend(later.map(|later| encode_later_plans(later) as u8));
        }
        Record::SeatsMoved(_, moved) => {
            let numbers = [moved.before, moved.given, moved.taken, moved.changed];
            put_numbers(&mut bytes, &numbers);
        }
        Record::CustomerCreated(_)
        | Record::CustomerRenamed(_)
        | Record::BatchCancelled(_)
        | Record::SelectionDeleted(_) => {}
        Record::GuardSet(_, guards) => {
            let limits = guards.iter().flat_map(|guard| [guard.users, guard.percent]);
            let limits = limits.map(|limit| limit.map_or(-1, i64::from));
            put_numbers(&mut bytes, &limits.collect::<Vec<_>>());
        }
        Record::BatchAccepted(_, users, request) => {
            put_numbers(&mut bytes, users);
            bytes.extend(request);
        }
        Record::BatchEnded(_, counts, stopped) => {
            put_numbers(&mut bytes, counts);
            bytes.push(encode_stop(*stopped) as u8);
        }
        Record::SelectionCreated(_, users) => put_numbers(&mut bytes, &[*users]),
        Record::ChoiceNumbered(_, choice, plans) => {
            bytes.extend(choice.0.to_le_bytes());
            bytes.push(u8::from(matches!(plans, PlanChoice::Only(_))));
            bytes.extend(encode_plans(plans.plans()));
        }
        Record::Catalogue(record) => {
            bytes.push(record.kind);
            let ids = [record.product.map(|id| id.0), record.plan.map(|id| id.0)];
            ids.iter()
                .for_each(|id| bytes.extend(id.unwrap_or_default().as_bytes()));
            put_text(&mut bytes, &record.now);
            put_text(&mut bytes, &record.before);
        }
        Record::JournalPruned(_, cut) => {
            put_numbers(&mut bytes, &[cut.position, cut.at]);
            bytes.extend(cut.hash);
        }
        Record::Access(record) => {
            bytes.push(record.kind);
            bytes.extend(record.thing.as_bytes());
            bytes.extend(record.roles.bits().to_le_bytes());
            put_numbers(&mut bytes, &[record.expires_at.unwrap_or(-1)]);
            bytes.push(u8::from(record.customers == Customers::All));
            bytes.extend(encode_customers(&record.customers).unwrap_or_default());
        }
    }
    bytes
}

/// Reads a record back.
pub(super) fn decode(kind: i16, thing: Id, details: &[u8]) -> Result<Record, Error> {
    use RecordKind as Kind;
    let kind = Kind::of(kind.into()).ok_or_else(damaged)?;
    let mut reader = Reader(details);
    let record = match kind {
        Kind::Assignments => return Ok(Record::Assignments(thing.into(), decode_edits(details)?)),
        Kind::UserCreated => Record::UserCreated(UserId(thing.0), reader.flag()?),
        Kind::UserDeleted => Record::UserDeleted(UserId(thing.0), reader.flag()?),
        Kind::UserUpdated => {
            let fields = decode_fields(reader.take(1)?[0]);
            Record::UserUpdated(thing.into(), fields, [reader.flag()?, reader.flag()?])
        }
        Kind::SeatsSet => {
            let (first, second) = (reader.numbers()?, reader.rest()?);
            match second {
                None => Record::SeatsSet(thing.into(), None, first),
                Some(after) => Record::SeatsSet(thing.into(), Some(first), after),
            }
        }
        Kind::LaterPlansSet => {
            let mut later = || Ok::<_, Error>(decode_later_plans(reader.take(1)?[0].into()));
            Record::LaterPlansSet(thing.into(), [later()?, later()?])
        }
        Kind::SeatsMoved => Record::SeatsMoved(ProductId(thing.0), reader.moved()?),
        Kind::CustomerCreated => Record::CustomerCreated(CustomerId(thing.0)),
        Kind::CustomerRenamed => Record::CustomerRenamed(CustomerId(thing.0)),
        Kind::GuardSet => {
            let limits: [i64; 4] = reader.numbers()?;
            let [a, b, c, d] = limits.map(|limit| u32::try_from(limit).ok());
            let guard = |users, percent| Guard { users, percent };
            Record::GuardSet(thing.into(), [guard(a, b), guard(c, d)])
        }
        Kind::BatchAccepted => {
            Record::BatchAccepted(thing.into(), reader.numbers()?, reader.hash()?)
        }
        Kind::BatchCancelled => Record::BatchCancelled(thing.into()),
        Kind::BatchEnded => {
            let counts = reader.numbers()?;
            let stopped = decode_stop(reader.take(1)?[0].into());
            Record::BatchEnded(thing.into(), counts, stopped)
        }
        Kind::SelectionCreated => {
            let [users] = reader.numbers()?;
            Record::SelectionCreated(thing.into(), users)
        }
        Kind::SelectionDeleted => Record::SelectionDeleted(SelectionId(thing.0)),
        Kind::ChoiceNumbered => {
            let (choice, only) = (ChoiceId(reader.i32()?), reader.flag()?);
            let plans = decode_choice(only, std::mem::take(&mut reader.0))?;
            Record::ChoiceNumbered(thing.into(), choice, plans)
        }
        Kind::Catalogue => Record::Catalogue(reader.catalogue()?),
        Kind::JournalPruned => Record::JournalPruned(thing.into(), reader.cut()?),
        Kind::Access => Record::Access(reader.access(thing)?),
    };
    if !reader.0.is_empty() {
        return Err(damaged());
    }
    Ok(record)
}

fn put_numbers(bytes: &mut Vec<u8>, numbers: &[i64]) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn encode_fields(fields: &UserFields) -> u8 {
    u8::from(fields.principal_name)
        | u8::from(fields.display_name) << 1
        | u8::from(fields.usage_location) << 2
        | u8::from(fields.last_active) << 3
}

fn decode_fields(bits: u8) -> UserFields {
    UserFields {
        principal_name: bits & 1 != 0,
        display_name: bits & 2 != 0,
        usage_location: bits & 4 != 0,
        last_active: bits & 8 != 0,
    }
}

impl Reader<'_> {
    fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.take(1)?[0] != 0)
    }

    /// Numbers, if anything is left.
    fn rest<const N: usize>(&mut self) -> Result<Option<[i64; N]>, Error> {
        (!self.0.is_empty()).then(|| self.numbers()).transpose()
    }

    fn moved(&mut self) -> Result<Moved, Error> {
        let [before, given, taken, changed] = self.numbers()?;
        Ok(Moved {
            before,
            given,
            taken,
            changed,
        })
    }

    fn hash(&mut self) -> Result<[u8; 32], Error> {
        Ok(self.take(32)?.try_into().expect("32 bytes"))
    }

    fn cut(&mut self) -> Result<Cut, Error> {
        let [position, at] = self.numbers()?;
        let hash = self.hash()?;
        Ok(Cut { position, at, hash })
    }

    fn access(&mut self, principal: Id) -> Result<AccessRecord, Error> {
        let (kind, thing) = (self.take(1)?[0], self.id()?);
        let roles = u16::from_le_bytes(self.take(2)?.try_into().expect("2 bytes"));
        let expires_at = Some(self.i64()?).filter(|end| *end >= 0);
        let all = self.flag()?;
        let listed = std::mem::take(&mut self.0);
        if all && !listed.is_empty() {
            return Err(damaged());
        }
        Ok(AccessRecord {
            principal: principal.into(),
            kind,
            thing,
            roles: Roles::from_bits(roles).ok_or_else(damaged)?,
            expires_at,
            customers: decode_customers((!all).then_some(listed))?,
        })
    }

    fn catalogue(&mut self) -> Result<CatalogueRecord, Error> {
        let kind = self.take(1)?[0];
        let mut id = || self.id().map(|id| (!id.is_nil()).then_some(id));
        let (product, plan) = (id()?.map(ProductId), id()?.map(PlanId));
        Ok(CatalogueRecord {
            kind,
            product,
            plan,
            now: self.text()?,
            before: self.text()?,
        })
    }

    fn numbers<const N: usize>(&mut self) -> Result<[i64; N], Error> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.i64()?;
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Edit, LaterPlans, PrincipalId, Role, Stop};

    /// One record of each kind.
    fn records() -> Vec<Record> {
        let id = Uuid::from_u128;
        let (user, product) = (UserId(id(1)), ProductId(id(2)));
        let edit = Edit {
            product,
            before: None,
            after: Some(ChoiceId(7)),
        };
        let fields = UserFields {
            display_name: true,
            last_active: true,
            ..UserFields::default()
        };
        let moved = Moved {
            before: 1,
            given: 2,
            taken: 3,
            changed: 4,
        };
        let guard = Guard {
            users: Some(5),
            percent: None,
        };
        let cut = Cut {
            position: 7,
            at: 8,
            hash: [9; 32],
        };
        vec![
            Record::Assignments(user, vec![edit]),
            Record::UserCreated(user, true),
            Record::UserUpdated(user, fields, [true, false]),
            Record::UserDeleted(user, true),
            Record::SeatsSet(product, Some([1, 2, 3]), [4, 5, 6]),
            Record::LaterPlansSet(product, [None, Some(LaterPlans::Off)]),
            Record::SeatsMoved(product, moved),
            Record::CustomerCreated(CustomerId(id(3))),
            Record::CustomerRenamed(CustomerId(id(3))),
            Record::BatchAccepted(BatchId(id(4)), [5, 2], [6; 32]),
            Record::BatchEnded(BatchId(id(4)), [1, 2, 3, 4], Some(Stop::Failures)),
            Record::SelectionCreated(SelectionId(id(5)), 6),
            Record::SelectionDeleted(SelectionId(id(5))),
            Record::ChoiceNumbered(
                CustomerId(id(3)),
                ChoiceId(7),
                PlanChoice::Only(vec![PlanId(id(8)), PlanId(id(9))]),
            ),
            Record::Catalogue(CatalogueRecord {
                kind: 2,
                product: Some(product),
                plan: None,
                now: "Now".to_owned(),
                before: "Before".to_owned(),
            }),
            Record::GuardSet(CustomerId(id(3)), [guard, Guard::default()]),
            Record::BatchCancelled(BatchId(id(4))),
            Record::JournalPruned(CustomerId(id(3)), cut),
            Record::Access(AccessRecord {
                principal: PrincipalId(id(10)),
                kind: 3,
                thing: id(11),
                roles: Roles::of(&[Role::Reader, Role::Operator]),
                expires_at: Some(12),
                customers: Customers::Listed([CustomerId(id(3)), CustomerId(id(4))].into()),
            }),
        ]
    }

    #[test]
    fn every_record_is_read_back_as_written_and_damage_is_noticed() {
        let mut kinds: Vec<i16> = Vec::new();
        for record in records() {
            let Row {
                kind,
                thing,
                details,
            } = Row::from(&record);
            kinds.push(kind);
            assert_eq!(decode(kind, thing, &details).expect("whole"), record);
            let longer = [&details[..], &[0]].concat();
            assert!(
                decode(kind, thing, &longer).is_err(),
                "{record:?} and a byte"
            );
        }
        let all: Vec<i16> = RecordKind::ALL.iter().map(|kind| *kind as i16).collect();
        assert_eq!(kinds, all);
        let new = Record::SeatsSet(ProductId(Uuid::from_u128(2)), None, [4, 5, 6]);
        let row = Row::from(&new);
        assert_eq!(
            decode(row.kind, row.thing, &row.details).expect("whole"),
            new
        );
        assert!(decode(99, row.thing, &[]).is_err());
    }
}
