//! Promise A2: whatever single thing is changed in a stored journal, a verification finds it, also when
//! its oldest part was pruned.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::chain::Chain;
use super::engine::Fresh;
use super::fixture::{BASIC, BY, Fixture, NOW, OFFICE, assign_plans, by_id, later, plan, user};
use super::model::Random;
use super::raw;
use crate::domain::PlanChoice;
use crate::store::{Checkpoint, Db, Id, Store, StoredCommit, StoredRecord, Timestamp};

/// Mutations that are tried.
const MUTATIONS: usize = 1_000;

/// Spells values as the engine does.
struct Sql<'a>(&'a Store);

impl Sql<'_> {
    fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match &self.0.db {
            Db::Postgres(_) => format!("'\\x{hex}'::bytea"),
            Db::Sqlite(_) => format!("x'{hex}'"),
        }
    }

    fn id(&self, id: Option<Id>) -> String {
        match (&self.0.db, id) {
            (_, None) => "NULL".to_owned(),
            (Db::Postgres(_), Some(id)) => format!("'{}'::uuid", id.0),
            (Db::Sqlite(_), Some(id)) => self.bytes(id.0.as_bytes()),
        }
    }

    fn time(&self, Timestamp(micros): Timestamp) -> String {
        match &self.0.db {
            Db::Postgres(_) => {
                format!("'epoch'::timestamptz + {micros} * INTERVAL '1 microsecond'")
            }
            Db::Sqlite(_) => micros.to_string(),
        }
    }

    fn text(text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    fn record(&self, customer: Id, record: &StoredRecord) -> String {
        let (seq, kind) = (record.seq, record.kind);
        let (thing, details) = (self.id(Some(record.thing_id)), self.bytes(&record.details));
        let customer = self.id(Some(customer));
        format!("({customer}, {seq}, {kind}, {thing}, {details})")
    }

    fn commit(&self, customer: Id, commit: &StoredCommit) -> String {
        let values = [
            self.id(Some(customer)),
            commit.last_seq.to_string(),
            commit.first_seq.to_string(),
            self.time(commit.committed_at),
            self.bytes(&commit.hash),
            Self::text(&commit.who),
            Self::text(&commit.through),
            self.id(commit.request_id),
            self.id(commit.batch_id),
            Self::text(&commit.comment),
        ];
        format!("({})", values.join(", "))
    }

    /// The statements that make the stored journal `to`, if it is `from`.
    fn rewrite(&self, from: &Chain, to: &Chain) -> Vec<String> {
        let customer = Id::from(from.customer);
        let key = self.id(Some(customer));
        let mut statements = Vec::new();
        let records = |chain: &Chain| -> BTreeMap<i64, String> {
            let row = |one: &StoredRecord| (one.seq, self.record(customer, one));
            chain.records.iter().map(row).collect()
        };
        let commits = |chain: &Chain| -> BTreeMap<i64, String> {
            let row = |one: &StoredCommit| (one.last_seq, self.commit(customer, one));
            chain.commits.iter().map(row).collect()
        };
        for (table, seq, before, after) in [
            ("changes", "seq", records(from), records(to)),
            ("commits", "last_seq", commits(from), commits(to)),
        ] {
            let gone = before
                .iter()
                .filter(|(seq, row)| after.get(seq) != Some(row));
            let gone: Vec<String> = gone.map(|(seq, _)| seq.to_string()).collect();
            if !gone.is_empty() {
                let gone = gone.join(", ");
                statements.push(format!(
                    "DELETE FROM {table} WHERE customer_id = {key} AND {seq} IN ({gone})"
                ));
            }
            let new = after
                .iter()
                .filter(|(seq, row)| before.get(seq) != Some(row));
            let new: Vec<&str> = new.map(|(_, row)| row.as_str()).collect();
            if !new.is_empty() {
                statements.push(format!("INSERT INTO {table} VALUES {}", new.join(", ")));
            }
        }
        if from.start != to.start {
            statements.push(format!(
                "DELETE FROM journal_starts WHERE customer_id = {key}"
            ));
            statements.extend(to.start.as_ref().map(|start| {
                let (hash, at) = (self.bytes(&start.hash), self.time(start.at));
                let position = start.position;
                format!("INSERT INTO journal_starts VALUES ({key}, {position}, {hash}, {at}, {at})")
            }));
        }
        if from.head != to.head {
            let Checkpoint { position, hash, at } = &to.head;
            let (hash, at) = (self.bytes(hash), self.time(*at));
            statements.push(format!(
                "UPDATE customers SET change_seq = {position}, change_hash = {hash}, \
                 changed_at = {at} WHERE customer_id = {key}"
            ));
        }
        statements
    }
}

/// Changes one bit of one byte, or the number of bytes.
fn spoil(random: &mut Random, bytes: &mut Vec<u8>) {
    match random.below(4) {
        0 => bytes.push(random.below(256) as u8),
        _ if bytes.is_empty() => bytes.push(0),
        1 => drop(bytes.pop()),
        _ => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
    }
}

fn spoil_id(random: &mut Random, id: Id) -> Id {
    let mut bytes = *id.0.as_bytes();
    bytes[random.below(16)] ^= 1 << random.below(8);
    Id(Uuid::from_bytes(bytes))
}

/// Changes, adds or takes away an id.
fn spoil_maybe(random: &mut Random, id: Option<Id>) -> Option<Id> {
    match id {
        Some(_) if random.one_in(3) => None,
        Some(id) => Some(spoil_id(random, id)),
        None => Some(Id(Uuid::from_u128(random.below(9) as u128))),
    }
}

fn spoil_text(random: &mut Random, text: &mut String) {
    match random.below(3) {
        0 => text.push('x'),
        _ if text.is_empty() => text.push(' '),
        1 => drop(text.pop()),
        _ => *text = text.replacen(|_: char| true, "?", 1),
    }
}

fn spoil_commit(random: &mut Random, commit: &mut StoredCommit) {
    let step = if random.one_in(2) { 1 } else { -1 };
    match random.below(8) {
        0 => commit.first_seq += step,
        1 => commit.committed_at.0 += step,
        2 => spoil(random, &mut commit.hash),
        3 => spoil_text(random, &mut commit.who),
        4 => spoil_text(random, &mut commit.through),
        5 => spoil_text(random, &mut commit.comment),
        6 => commit.request_id = spoil_maybe(random, commit.request_id),
        _ => commit.batch_id = spoil_maybe(random, commit.batch_id),
    }
}

/// Changes one thing about a journal.
fn mutate(random: &mut Random, chain: &mut Chain) -> &'static str {
    let record = random.below(chain.records.len());
    match random.below(12) {
        0 => {
            chain.records[record].kind ^= 1 << random.below(15);
            "the kind of a record"
        }
        1 => {
            let thing = &mut chain.records[record].thing_id;
            *thing = spoil_id(random, *thing);
            "the thing of a record"
        }
        2 | 3 => {
            spoil(random, &mut chain.records[record].details);
            "the details of a record"
        }
        4 => {
            chain.records.remove(record);
            "a record is deleted"
        }
        5 => {
            let copy = chain.records[record].clone();
            chain.records.insert(record, copy);
            chain.records[record + 1..]
                .iter_mut()
                .for_each(|one| one.seq += 1);
            "a record is inserted"
        }
        6 => {
            let last = chain.records.len() - 1;
            let (a, b) = (record.min(last - 1), record.min(last - 1) + 1);
            chain.records.swap(a, b);
            let seqs = (chain.records[b].seq, chain.records[a].seq);
            (chain.records[a].seq, chain.records[b].seq) = seqs;
            "two records change places"
        }
        _ => mutate_commits(random, chain),
    }
}

/// Changes one thing about commits, or about the end.
fn mutate_commits(random: &mut Random, chain: &mut Chain) -> &'static str {
    let commit = random.below(chain.commits.len());
    match random.below(5) {
        0 => {
            spoil_commit(random, &mut chain.commits[commit]);
            "a value of a commit"
        }
        1 => {
            let gone = chain.commits.remove(commit);
            if random.one_in(2) {
                let is_its =
                    |one: &StoredRecord| (gone.first_seq..=gone.last_seq).contains(&one.seq);
                chain.records.retain(|one| !is_its(one));
            }
            "a commit is deleted"
        }
        2 => {
            let end = chain.commits.last().expect("a commit").clone();
            let (last_seq, first_seq) = (end.last_seq + 1, end.last_seq + 1);
            chain.commits.push(StoredCommit {
                last_seq,
                first_seq,
                ..end
            });
            "a commit is inserted"
        }
        3 => {
            let last = chain.commits.len() - 1;
            let (a, b) = (commit.min(last - 1), commit.min(last - 1) + 1);
            let (one, other) = (chain.commits[a].clone(), chain.commits[b].clone());
            let places = |of: &StoredCommit, at: &StoredCommit| StoredCommit {
                first_seq: at.first_seq,
                last_seq: at.last_seq,
                ..of.clone()
            };
            (chain.commits[a], chain.commits[b]) = (places(&other, &one), places(&one, &other));
            "two commits change places"
        }
        _ => match &mut chain.start {
            Some(start) if random.one_in(2) => {
                if random.one_in(4) {
                    chain.start = None;
                } else {
                    spoil_checkpoint(random, start);
                }
                "the start as kept beside it"
            }
            _ => {
                spoil_checkpoint(random, &mut chain.head);
                "the end as kept beside it"
            }
        },
    }
}

fn spoil_checkpoint(random: &mut Random, checkpoint: &mut Checkpoint) {
    match random.below(3) {
        0 => checkpoint.position += 1,
        1 => checkpoint.hash[random.below(32)] ^= 1 << random.below(8),
        _ => checkpoint.at.0 -= 1,
    }
}

/// A customer with a commit of every kind that customers have.
async fn lively(fresh: Fresh) -> Fixture {
    let fixture = fresh.fixture().await;
    for product in [OFFICE, BASIC] {
        fixture.enable_seats(product, 90).await;
    }
    let users = fixture.create_users(1..=20).await;
    let change = assign_plans(OFFICE, PlanChoice::Only(vec![plan(1)]));
    let mut request = fixture.request(1, &users, change);
    request.origin.request = Some(request.request);
    let batch = fixture.accept(&request).await;
    assert_eq!(fixture.work(&batch).await, "A".repeat(20));
    for number in 1..=12 {
        let named = by_id(user(number));
        let deleted = fixture.rows.delete_user(&named, None, &BY, later(9));
        deleted.await.expect("deleted");
    }
    fixture
}

pub(super) async fn any_single_mutation_of_the_journal_is_found(fresh: Fresh) {
    let fixture = lively(fresh).await;
    let tried = mutate_and_verify(&fixture).await;
    assert_eq!(tried, 11, "ways to change a journal");
}

pub(super) async fn any_single_mutation_of_a_pruned_journal_is_found(fresh: Fresh) {
    let fixture = lively(fresh).await;
    let rows = &fixture.rows;
    fixture.prune_results(later(5)).await;
    let start = rows.move_start(later(5), &BY, later(10)).await;
    let start = start.expect("moved").expect("a start");
    while rows.prune_journal().await.expect("pruned").is_some() {}
    assert_eq!(
        fixture.chain().await.commits[0].first_seq,
        start.position + 1
    );
    let tried = mutate_and_verify(&fixture).await;
    assert_eq!(tried, 12, "ways to change a journal");
}

/// Tries mutations of every kind, and says of how many.
async fn mutate_and_verify(fixture: &Fixture) -> usize {
    let (store, whole) = (&fixture.store, fixture.chain().await);
    assert!(whole.commits.len() > 8 && whole.head.at > NOW);
    let (sql, mut random) = (Sql(store), Random(7));
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = 0;
    while count < MUTATIONS {
        let mut spoiled = whole.clone();
        let what = mutate(&mut random, &mut spoiled);
        let statements = sql.rewrite(&whole, &spoiled);
        if statements.is_empty() {
            continue; // two equal records have changed places
        }
        raw::execute_all(store, &statements).await;
        let stored = Chain::read(store, fixture.customer).await;
        assert_ne!(stored.flaw(), None, "{what} was not found: {statements:?}");
        raw::execute_all(store, &sql.rewrite(&spoiled, &whole)).await;
        *tried.entry(what).or_default() += 1;
        count += 1;
    }
    assert_eq!(fixture.chain().await.records, whole.records);
    assert!(tried.values().all(|count| *count > 20), "{tried:?}");
    tried.len()
}
