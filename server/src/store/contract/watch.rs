//! Reading the journal onwards.

use std::ops::Range;

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, OFFICE, assign, customer, display, scope};
use super::raw;
use crate::domain::{
    INSTALLATION,
    RecordKind::{self, *},
};
use crate::store::{HistoryFilter, Recorded, Refusal, Store, Subject};

/// A customer of whom something is recorded, and all of that, the oldest first.
async fn lively(fresh: Fresh) -> (Fixture, Vec<Recorded>) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 30).await;
    let users = fixture.create_users(1..=20).await;
    fixture.run(1, &users, assign(&[OFFICE])).await;
    fixture.enable_seats(OFFICE, 90).await;
    let filter = HistoryFilter {
        subject: Subject::Everything,
        kinds: Vec::new(),
        from: None,
        until: None,
    };
    let all = fixture.rows.history(&filter, None, 1_000);
    let mut all = all.await.expect("a history");
    all.reverse();
    (fixture, all)
}

impl Fixture {
    async fn changes(&self, kinds: &[RecordKind], places: Range<i64>, limit: i64) -> Vec<Recorded> {
        let changes = self.rows.changes(kinds, places, limit);
        changes.await.expect("changes")
    }
}

pub(super) async fn changes_are_read_onwards_from_any_place(fresh: Fresh) {
    let (fixture, all) = lively(fresh).await;
    let end = all.len() as i64;
    assert_eq!(all.last().map(|last| last.seq), Some(end));
    for place in 1..=end {
        let rest = &all[place as usize - 1..];
        let found = fixture.changes(&[], place..end + 1, 1_000).await;
        assert_eq!(found, rest, "from {place}");
        let found = fixture.changes(&[], place..end + 1, 3).await;
        assert_eq!(found, rest[..rest.len().min(3)], "three from {place}");
    }
    assert_eq!(fixture.changes(&[], 4..7, 1_000).await, all[3..6]);
    assert_eq!(fixture.changes(&[], 4..4, 1_000).await, []);

    let of = |kinds: &[RecordKind]| -> Vec<Recorded> {
        let is_asked = |one: &&Recorded| kinds.contains(&one.record.key().0);
        all.iter().filter(is_asked).cloned().collect()
    };
    for (kinds, count) in [
        (&[Assignments][..], 20),
        (&[SeatsSet, BatchEnded], 3),
        (&[UserDeleted], 0),
    ] {
        let found = fixture.changes(kinds, 1..end + 1, 1_000).await;
        assert_eq!(found.len(), count, "{kinds:?}");
        assert_eq!(found, of(kinds));
    }
    let seats = fixture.changes(&[SeatsSet], 1..end + 1, 1).await;
    assert_eq!(seats, of(&[SeatsSet])[..1]);
    let catalogue = fixture
        .store
        .of(scope(INSTALLATION))
        .changes(&[], 1..3, 9)
        .await;
    let kinds = catalogue.expect("changes").into_iter();
    let kinds: Vec<_> = kinds.map(|one| one.record.key().0).collect();
    assert_eq!(kinds, [Catalogue, Catalogue]);
}

/// Marks the first commits of the fixture's customer as pruned; their rows are still there.
async fn prune(store: &Store, last_seq: i64) {
    let statement = format!(
        "INSERT INTO journal_starts SELECT customer_id, last_seq, hash, committed_at, committed_at \
         FROM commits WHERE last_seq = {last_seq} AND customer_id = \
         (SELECT customer_id FROM customers WHERE display_name = 'Contoso')"
    );
    raw::execute(store, &statement).await;
}

pub(super) async fn a_watch_begins_where_nothing_is_missing(fresh: Fresh) {
    let (fixture, all) = lively(fresh).await;
    let (store, end) = (&fixture.store, all.len() as i64);
    let other = customer(2);
    let name = display("Other");
    let created = store.create_customer(other, &name, &BY, NOW).await;
    created.expect("created");

    let start = async |after| fixture.rows.watch_start(after).await.expect("a start");
    assert_eq!(start(None).await, end);
    for place in [0, 1, end] {
        assert_eq!(start(Some(place)).await, place);
    }
    let beyond = raw::refusal(store, fixture.rows.watch_start(Some(end + 1))).await;
    assert_eq!(beyond, Refusal::BeyondJournal);
    let nobody = raw::refusal(store, store.of(scope(customer(9))).watch_start(None)).await;
    assert!(matches!(nobody, Refusal::NotFound { .. }), "{nobody:?}");

    // The first three commits: the customer, its seats, and its users.
    let commits = fixture.chain().await.commits;
    let oldest = commits[2].last_seq;
    assert_eq!(commits[3].first_seq, oldest + 1);
    prune(store, oldest).await;
    let pruned = Refusal::ChangesPruned { oldest };
    for place in [0, oldest - 1] {
        let refusal = raw::refusal(store, fixture.rows.watch_start(Some(place))).await;
        assert_eq!(refusal, pruned, "after {place}");
        let changes = fixture.rows.changes(&[Assignments], place + 1..end + 1, 9);
        assert_eq!(raw::refusal(store, changes).await, pruned, "after {place}");
    }
    assert_eq!(start(Some(oldest)).await, oldest);
    assert_eq!(start(None).await, end);
    let rest = fixture.changes(&[], oldest + 1..end + 1, 1_000).await;
    assert_eq!(rest, all[oldest as usize..]);
    assert_eq!(
        store
            .of(scope(other))
            .watch_start(Some(0))
            .await
            .expect("a start"),
        0
    );
}
