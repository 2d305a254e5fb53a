//! Pruning of the journal: it goes from its front, and what stays is whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::chain::Chain;
use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign, later, new_user, revoke, scope, user,
};
use super::prune_results::days;
use super::raw;
use crate::domain::{BatchId, Change, INSTALLATION, Place, ProductId, Record, RecordKind, UserId};
use crate::store::retention::{STEP_COMMITS, STEP_RECORDS};
use crate::store::{Error, HistoryFilter, Refusal, Subject, Timestamp};

/// Gives a product and takes it, in turn.
pub(super) fn in_turn(number: u8, product: ProductId) -> Change {
    match number % 2 {
        0 => assign(&[product]),
        _ => revoke(&[product]),
    }
}

impl Fixture {
    /// Creates users one by one, a commit each, at so many seconds after `NOW`.
    async fn create_users_at(&self, seconds: std::ops::RangeInclusive<u8>) {
        for second in seconds {
            let new = new_user(second.into(), &format!("u{second}@x"));
            let created = self.rows.create_user(new, &BY, later(second.into()));
            created.await.expect("created");
        }
    }

    /// Deletes all that lies before the journal's beginning.
    pub(super) async fn prune_journal(&self) {
        let step = || self.rows.prune_journal();
        while step().await.expect("a step").is_some() {}
    }
}

pub(super) async fn a_journal_is_pruned_from_its_front_and_stays_whole(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let rows = &fixture.rows;
    let (store, mine) = (&fixture.store, fixture.customer);
    fixture.create_users(1_001..=4_000).await; // in three commits, after that of the customer
    fixture.create_users_at(1..=150).await;
    let whole = fixture.chain().await;
    let start = fixture
        .move_start(later(141), days(2))
        .await
        .expect("moved");
    let expected = whole
        .commits
        .iter()
        .find(|one| one.committed_at == later(140));
    let expected = expected.expect("a commit");
    assert_eq!(
        (start.position, &start.hash[..], start.at),
        (expected.last_seq, &expected.hash[..], later(140))
    );

    let kept = fixture.chain().await;
    assert_eq!(
        kept.commits[..10],
        whole.commits[whole.commits.len() - 10..]
    );
    let last = kept.records.last().expect("a record").decode();
    let Ok(Record::JournalPruned(customer, cut)) = last else {
        panic!("{last:?} is none");
    };
    assert_eq!(
        (customer, cut.position, cut.hash),
        (mine, start.position, start.hash)
    );
    let all = HistoryFilter {
        subject: Subject::Everything,
        kinds: Vec::new(),
        from: None,
        until: None,
    };
    let records_stored = raw::count(store, "changes").await;
    let mut steps = Vec::new();
    loop {
        // Readers see the same before the rows are gone, in between and afterwards.
        let listed = rows.history(&all, None, 9_999).await.expect("a history");
        let oldest = listed.last().map(|record| record.seq);
        assert_eq!(oldest, Some(start.position + 1));
        assert_eq!(fixture.chain().await.commits, kept.commits);
        let server = fixture.on_another_server().await;
        let rows = raw::contents(store).await["commits"].len();
        match server.rows.prune_journal().await.expect("a step") {
            Some(records) => {
                assert!(records <= STEP_RECORDS as usize, "{records}");
                let left = raw::contents(store).await["commits"].len();
                assert!(rows - left <= STEP_COMMITS as usize && left < rows);
                steps.push(records);
            }
            None => break,
        }
    }
    assert_eq!(steps, [1_001, 2_000, 64, 64, 12]);
    let gone = records_stored - raw::count(store, "changes").await;
    assert_eq!(gone as i64, start.position);
}

pub(super) async fn a_journal_keeps_its_end_and_what_kept_batches_have_done(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    fixture.create_users_at(1..=9).await;
    let users: Vec<UserId> = (1..=9).map(user).collect();
    let mut request = fixture.request(1, &users, assign(&[OFFICE]));
    request.now = later(10);
    let batch = fixture.accept(&request).await;
    let mut chunk = fixture.chunk(&batch, 0).await;
    chunk.now = days(3);
    fixture.write(chunk).await;

    // The results are kept, and a revert needs what was recorded of them.
    let start = fixture.move_start(days(9), days(9)).await.expect("moved");
    assert_eq!(start.at, later(9));
    fixture.prune_journal().await;
    let [revert, _] = fixture.going_back(2, &batch);
    let revert = fixture.accept(&revert).await;
    assert_eq!(fixture.work(&revert).await, "A".repeat(9));

    // Nothing is kept any more; the last commit stays.
    fixture.prune_results(days(99)).await;
    let head = fixture.chain().await.head;
    let start = fixture.move_start(days(99), days(99)).await.expect("moved");
    assert!(start.position < head.position, "{start:?} {head:?}");
    let left = fixture.chain().await.commits;
    assert_eq!(
        left.len(),
        2,
        "the last one, and that it was pruned: {left:?}"
    );
}

pub(super) async fn a_pruned_journal_is_refused_before_its_beginning(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let (store, rows) = (&fixture.store, &fixture.rows);
    fixture.enable_seats(OFFICE, 9).await;
    fixture.create_users_at(1..=3).await;
    for (number, second) in [(1, 10), (2, 20)] {
        let mut request = fixture.request(number, &[user(1)], in_turn(number + 1, OFFICE));
        request.now = later(second);
        let batch = fixture.accept(&request).await;
        let mut chunk = fixture.chunk(&batch, 0).await;
        chunk.now = later(second);
        fixture.write(chunk).await;
    }
    fixture.prune_results(later(15)).await;
    let start = fixture.move_start(later(99), days(9)).await.expect("moved");
    assert_eq!(start.at, later(10));
    let refusal = Refusal::HistoryPruned {
        position: start.position,
        at: start.at,
    };
    for has_rows in [true, false] {
        for (at, held) in [
            (later(10), Some(1)),
            (later(19), Some(1)),
            (later(20), Some(0)),
            (Timestamp(later(10).0 - 1), None),
            (Timestamp(0), None),
        ] {
            let then = rows.user_then(user(1), at);
            let Some(held) = held else {
                assert_eq!(raw::refusal(store, then).await, refusal);
                continue;
            };
            let then = then.await.expect("a state");
            assert_eq!((then.held.len(), then.active), (held, Some(true)), "{at:?}");
            assert!(then.position >= start.position);
        }
        for after in [0, 1, start.position - 1] {
            let part = rows.journal(after, 9);
            assert_eq!(raw::refusal(store, part).await, refusal);
        }
        let part = rows.journal(start.position, 9).await.expect("a part");
        assert_eq!(part.records[0].seq, start.position + 1);
        assert_listed_after(&fixture, start.position).await;
        assert_eq!(
            has_rows,
            rows.prune_journal().await.expect("a step").is_some()
        );
    }
    let nobody = rows.user_then(user(99), NOW);
    let nobody = raw::refusal(store, nobody).await;
    assert!(matches!(nobody, Refusal::NotFound { .. }), "{nobody:?}");
}

/// What is older is not listed, however it is asked for.
async fn assert_listed_after(fixture: &Fixture, position: i64) {
    let rows = &fixture.rows;
    for (subject, kinds) in [
        (Subject::User(user(1)), vec![]),
        (Subject::User(user(3)), vec![]),
        (Subject::License(OFFICE), vec![]),
        (Subject::Batch(BatchId(Uuid::from_u128(1))), vec![]),
        (Subject::Everything, vec![]),
        (
            Subject::Everything,
            vec![RecordKind::UserCreated, RecordKind::BatchEnded],
        ),
    ] {
        let filter = HistoryFilter {
            subject,
            kinds,
            from: Some(NOW),
            until: None,
        };
        let found = rows.history(&filter, None, 99).await.expect("a history");
        assert!(found.iter().all(|one| one.seq > position), "{found:?}");
        assert_eq!(
            found.is_empty(),
            matches!(subject, Subject::Batch(_)) || subject == Subject::User(user(3))
        );
    }
}

pub(super) async fn pruning_by_itself_is_no_reason_to_prune(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users_at(1..=9).await;
    let moved = async |before, now| fixture.move_start(before, now).await.map(|start| start.at);
    assert_eq!(moved(NOW, days(10)).await, None);
    assert_eq!(moved(later(5), days(10)).await, Some(later(4)));
    // Not more than once a day.
    assert_eq!(moved(later(7), Timestamp(days(11).0 - 1)).await, None);
    assert_eq!(moved(later(7), days(11)).await, Some(later(6)));
    assert_eq!(moved(later(7), days(12)).await, None);
    assert_eq!(
        moved(days(99), days(100)).await,
        Some(days(10)),
        "all but the last commit"
    );
    // Nothing has happened since but that.
    for day in [200, 300] {
        assert_eq!(moved(days(day), days(day)).await, None);
    }
    fixture.create_users_at(10..=10).await;
    assert_eq!(moved(days(301), days(302)).await, None, "the last one");
    fixture.create_users_at(11..=11).await;
    assert_eq!(moved(days(301), days(302)).await, Some(days(100)));
    fixture.chain().await;

    // The journal of the installation is pruned likewise.
    let store = &fixture.store;
    let moved = async |now| {
        let moved = store
            .of(scope(INSTALLATION))
            .move_start(later(1), &BY, now)
            .await;
        moved.expect("an answer").map(|start| start.position)
    };
    let edition = super::fixture::edition(vec![]);
    store
        .import_edition(&edition, &BY, later(2))
        .await
        .expect("imported");
    let before = Chain::read(store, INSTALLATION).await;
    let start = moved(days(1)).await.expect("moved");
    assert_eq!(moved(days(1)).await, None);
    while store
        .of(scope(INSTALLATION))
        .prune_journal()
        .await
        .expect("a step")
        .is_some()
    {}
    let after = Chain::read(store, INSTALLATION).await;
    assert_eq!(after.flaw(), None);
    assert_eq!(
        after.commits[0],
        *before.commits.last().expect("the import")
    );
    assert_eq!(after.commits[0].first_seq, start + 1);
}

pub(super) async fn batches_that_run_while_two_servers_prune_are_exact(fresh: Fresh) {
    const BATCHES: u8 = 6;
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    fixture.enable_seats(BASIC, 900).await;
    let users = fixture.create_users(1..=200).await;
    for number in 1..=20 {
        fixture.run(number, &users, in_turn(number, BASIC)).await;
    }
    let steps = Arc::new(AtomicUsize::new(0));
    let mut pruning = JoinSet::new();
    for _ in 0..2 {
        let (server, steps) = (fixture.on_another_server().await, steps.clone());
        pruning.spawn(async move { prune_all(&server, &steps).await });
    }
    let (mut batches, mut meanwhile) = (Vec::new(), 0);
    for number in 0..BATCHES {
        let mut request = fixture.request(100 + number, &users, in_turn(number, OFFICE));
        request.now = days(1);
        let batch = fixture.accept(&request).await;
        for position in [0, 64] {
            let mut chunk = fixture.chunk(&batch, position).await;
            chunk.now = days(1);
            let before = steps.load(Ordering::SeqCst);
            fixture.write(chunk).await;
            meanwhile += steps.load(Ordering::SeqCst) - before;
        }
        batches.push(batch);
    }
    let deleted = pruning.join_all().await;
    assert!(meanwhile > 0, "they did not overlap: this shows nothing");
    for batch in &batches {
        let letters: Vec<u8> = fixture
            .results(batch, 0)
            .await
            .into_iter()
            .flat_map(|part| part.bytes)
            .collect();
        assert_eq!(letters, [b'A'; 200]);
    }
    // Each row was deleted once, by one of them.
    let chain = fixture.chain().await;
    let start = chain.start.expect("it was moved");
    let rows: usize = deleted.iter().map(|deleted| deleted.0).sum();
    let records: usize = deleted.iter().map(|deleted| deleted.1).sum();
    assert_eq!((rows, records as i64), (20 * 2 * 2, start.position));
    assert!(start.at < later(1));
    assert_eq!(fixture.assigned(OFFICE).await, 0);
    let ended = fixture.rows.batches(Some(true), &Place::First, 99).await;
    let ended = ended.expect("a list");
    assert_eq!(ended.iter().filter(|batch| batch.is_pruned()).count(), 20);
    assert_eq!(ended.len(), 20 + usize::from(BATCHES));
}

/// Prunes everything of before the first second, counts the steps, and says how many rows of results and
/// how many records it has deleted.
async fn prune_all(server: &Fixture, steps: &AtomicUsize) -> (usize, usize) {
    let mine = &server.rows;
    let (mut rows, mut records) = (0, 0);
    while let Some(deleted) = counted(steps, mine.prune_results(later(1))).await {
        rows += deleted;
    }
    let move_start = || async {
        let moved = mine.move_start(later(1), &BY, days(9)).await;
        moved.map(|_| None)
    };
    while counted(steps, move_start()).await.is_some() {}
    while let Some(deleted) = counted(steps, mine.prune_journal()).await {
        records += deleted;
    }
    (rows, records)
}

/// What a step has deleted: nothing if another transaction was in the way of it.
async fn counted(
    steps: &AtomicUsize,
    step: impl Future<Output = Result<Option<usize>, Error>>,
) -> Option<usize> {
    let deleted = match step.await {
        Err(Error::Conflict(_)) => Some(0),
        step => step.expect("a step"),
    };
    steps.fetch_add(1, Ordering::SeqCst);
    deleted
}
