//! One chunk of a batch in one transaction: lock, read, decide, write. The decision is a pure
//! function of what was read; each engine reads and writes in its own idiom.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batches::{decode_stop, encode_stop};
use super::codec::{decode_tally, encode_disposition, encode_tally};
use super::error::Error;
use super::record::{Draft, Row};
use super::types::{Id, Timestamp};
use super::{CustomerStore, Db};
use crate::domain::{
    BatchId, ChoiceId, Choices, CustomerId, Disposition, Edit, Moved, Order, Origin, Plan,
    ProductId, Progress, Record, Snapshot,
};

/// What is to be done and under which assumptions.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The batch.
    pub batch: BatchId,
    /// Who asked for the batch.
    pub origin: Origin,
    /// The right to work on the batch.
    pub fence: i64,
    /// Position of the first turn.
    pub first_position: i64,
    /// The turns.
    pub order: Order,
    /// True if no chunk follows.
    pub is_last: bool,
    /// The version of the catalogue that the decision will use.
    pub catalogue_version: i64,
    /// Plan choices that are known already.
    pub choices: Choices,
    /// Now.
    pub now: Timestamp,
    /// Until when the batch is worked on without a further sign of life.
    pub lease_expires_at: Timestamp,
}

/// What a decision gives the store to write.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What becomes of each user.
    pub plan: Plan,
    /// How many results there are in each part, and the part, encoded as it will be sent.
    pub results: Vec<(usize, Vec<u8>)>,
}

/// The decision: from what is so to what shall be. It may be asked more than once.
pub type Decide = Arc<dyn Fn(&Snapshot) -> Decision + Send + Sync>;

/// What became of a chunk.
#[derive(Debug)]
pub enum Written {
    /// It is durable. Here are the plan choices that are known now.
    Done(Choices),
    /// It had been done before; the batch is at this position.
    Behind(i64),
    /// Somebody else works on the batch now.
    Fenced,
    /// The catalogue has another version than the decision would use.
    CatalogueMoved,
}

impl CustomerStore {
    /// Does one chunk. Nothing is written unless the outcome is `Done`.
    pub async fn write_chunk(&self, chunk: Arc<Chunk>, decide: Decide) -> Result<Written, Error> {
        let customer = self.customer;
        let _turn = self.queue().await;
        match &self.db {
            Db::Postgres(pool) => postgres::write_chunk(pool, customer, &chunk, &decide).await,
            Db::Sqlite(db) => sqlite::write_chunk(db, customer, chunk, decide).await,
        }
    }
}

/// Where the batch stands, read under the lock.
struct Standing {
    next_position: i64,
    fence: i64,
    /// Users applied, unchanged, failed and skipped.
    counts: [i64; 4],
    catalogue_version: i64,
    progress: Progress,
}

/// Position, fence, users applied, unchanged, failed and skipped, why it was stopped, and sums: as
/// stored.
type StandingRow = (i64, i64, i64, i64, i64, i64, i16, Vec<u8>);

impl Standing {
    fn new(row: StandingRow, catalogue_version: i64) -> Result<Self, Error> {
        let (next_position, fence, applied, unchanged, failed, skipped, stopped, tally) = row;
        Ok(Self {
            next_position,
            fence,
            counts: [applied, unchanged, failed, skipped],
            catalogue_version,
            progress: Progress {
                failed: failed.cast_unsigned(),
                stopped: decode_stop(stopped),
                tally: decode_tally(&tally)?,
            },
        })
    }
}

/// Checks the assumptions of a chunk; `Some` says why it cannot be done.
fn obstacle(chunk: &Chunk, standing: &Standing) -> Option<Written> {
    if standing.fence != chunk.fence {
        return Some(Written::Fenced);
    }
    if standing.next_position != chunk.first_position {
        return Some(Written::Behind(standing.next_position));
    }
    (standing.catalogue_version != chunk.catalogue_version).then_some(Written::CatalogueMoved)
}

/// A plan as columns of rows to write, in the order of the turns.
#[derive(Default)]
struct Rows {
    inserts: Holdings,
    updates: Holdings,
    deletes: Holdings,
    /// What is recorded: the users first, so that their records are next to each other, then how
    /// many assignments of each product have moved, the choices that got a number, and the end.
    records: Vec<Row>,
    /// How many of the records are those of users.
    changed: i64,
    /// Products whose number of assigned seats moves, and by how much.
    products: Vec<Id>,
    deltas: Vec<i64>,
    /// A byte for each user: what became of it.
    dispositions: Vec<u8>,
    /// Who has failed, 16 bytes each.
    failed_user_ids: Vec<u8>,
}

#[derive(Default)]
struct Holdings {
    users: Vec<Id>,
    products: Vec<Id>,
    choices: Vec<i32>,
}

impl Holdings {
    fn push(&mut self, user: Id, edit: &Edit, choice: i32) {
        self.users.push(user);
        self.products.push(edit.product.into());
        self.choices.push(choice);
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

/// The numbers that the new choices of a plan got.
#[derive(Default)]
struct Interned {
    numbers: Vec<i32>,
    /// Those that had none before.
    numbered: Vec<Record>,
}

impl Rows {
    fn new(chunk: &Chunk, snapshot: &Snapshot, plan: &Plan, interned: &Interned) -> Self {
        let number = |choice: ChoiceId| match choice.0 {
            place @ ..0 => ChoiceId(interned.numbers[place.unsigned_abs() as usize - 1]),
            _ => choice,
        };
        let order = &chunk.order;
        let mut rows = Self::default();
        let mut moved: BTreeMap<ProductId, Moved> = BTreeMap::new();
        assert_eq!(
            plan.outcomes.len(),
            order.turns.len(),
            "one outcome per turn"
        );
        for (turn, outcome) in order.turns.iter().zip(&plan.outcomes) {
            rows.dispositions
                .push(encode_disposition(outcome.disposition));
            if let (Disposition::Failed, Some(user)) = (outcome.disposition, turn.user) {
                rows.failed_user_ids.extend(user.0.as_bytes());
            }
            if outcome.edits.is_empty() {
                continue;
            }
            let user = turn.user.expect("only users that exist are changed");
            let edit = |edit: &Edit| Edit {
                product: edit.product,
                before: edit.before.map(number),
                after: edit.after.map(number),
            };
            let edits: Vec<Edit> = outcome.edits.iter().map(edit).collect();
            for edit in &edits {
                let moved = moved.entry(edit.product).or_default();
                match (edit.before, edit.after) {
                    (None, Some(after)) => {
                        rows.inserts.push(user.into(), edit, after.0);
                        moved.given += 1;
                    }
                    (_, Some(after)) => {
                        rows.updates.push(user.into(), edit, after.0);
                        moved.changed += 1;
                    }
                    (_, None) => {
                        rows.deletes.push(user.into(), edit, 0);
                        moved.taken += 1;
                    }
                }
            }
            rows.records
                .push(Row::from(&Record::Assignments(user, edits)));
            rows.changed += 1;
        }
        for (product, delta) in &plan.seat_deltas {
            rows.products.push((*product).into());
            rows.deltas.push(*delta);
        }
        let moved = moved.into_iter().map(|(product, moved)| {
            let before = snapshot
                .seats
                .get(&product)
                .map_or(0, |seats| seats.assigned);
            Record::SeatsMoved(product, Moved { before, ..moved })
        });
        rows.records.extend(moved.map(|record| Row::from(&record)));
        rows.records.extend(interned.numbered.iter().map(Row::from));
        rows
    }
}

/// What is said once for a chunk, with the first part of its results.
#[derive(Clone, Copy, Default)]
struct Marks<'a> {
    first_seq: i64,
    change_count: i64,
    dispositions: &'a [u8],
    failed_user_ids: &'a [u8],
}

impl Rows {
    /// `first_seq` is that of the first record, with which those of users begin.
    fn marks(&self, first_seq: i64) -> Marks<'_> {
        Marks {
            first_seq,
            change_count: self.changed,
            dispositions: &self.dispositions,
            failed_user_ids: &self.failed_user_ids,
        }
    }
}

/// The commit of a chunk.
fn draft(
    customer: CustomerId,
    chunk: &Chunk,
    standing: &Standing,
    counts: &Counts,
    records: Vec<Row>,
) -> Draft {
    let mut draft = Draft::new(customer, &chunk.origin, chunk.now).of_batch(chunk.batch);
    draft.rows = records;
    let moved = [
        counts.applied,
        counts.unchanged,
        counts.failed,
        counts.skipped,
    ];
    let mut sums = standing.counts;
    sums.iter_mut()
        .zip(moved)
        .for_each(|(sum, more)| *sum += more);
    let stopped = decode_stop(counts.stopped);
    let ended = chunk
        .is_last
        .then_some(Record::BatchEnded(chunk.batch, sums, stopped));
    draft.records(ended)
}

/// By how much a chunk moves the counts of its batch, and what the batch comes to.
struct Counts {
    turns: i64,
    applied: i64,
    unchanged: i64,
    failed: i64,
    skipped: i64,
    stopped: i16,
    tally: Vec<u8>,
}

impl Counts {
    fn new(snapshot: &Snapshot, order: &Order, plan: &Plan) -> Self {
        let count = |disposition| i64::from(plan.count(disposition));
        let mut progress = snapshot.progress.clone();
        progress.add(snapshot, order, plan);
        Self {
            turns: plan.outcomes.len() as i64,
            applied: count(Disposition::Applied),
            unchanged: count(Disposition::Unchanged),
            failed: count(Disposition::Failed),
            skipped: count(Disposition::Skipped),
            stopped: encode_stop(progress.stopped),
            tally: encode_tally(&progress.tally),
        }
    }
}
