//! Pruning of results: they go step by step, and the batch stays.

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, OFFICE, assign, later, revoke};
use super::raw;
use crate::domain::{Change, Place, UserFilter, UserId, UserOrder};
use crate::store::retention::STEP_CHUNKS;
use crate::store::{Batch, Checkpoint, NewBatch, Refusal, Retry, Revert, Timestamp, Users};

/// So many days after `NOW`.
pub(super) fn days(days: i64) -> Timestamp {
    later(days * 24 * 60 * 60)
}

impl Fixture {
    /// Prunes all results of batches that ended before a time, and says how many rows each step took.
    pub(super) async fn prune_results(&self, before: Timestamp) -> Vec<usize> {
        let mut steps = Vec::new();
        let step = || self.rows.prune_results(before);
        while let Some(rows) = step().await.expect("a step") {
            steps.push(rows);
        }
        steps
    }

    pub(super) async fn move_start(&self, before: Timestamp, now: Timestamp) -> Option<Checkpoint> {
        let moved = self.rows.move_start(before, &BY, now);
        moved.await.expect("an answer")
    }

    /// A batch with many rows of results and of users: those of a batch of 100, and copies of them.
    async fn run_large(&self, number: u8, users: &[UserId]) -> Batch {
        let batch = self
            .accept(&self.request(number, users, assign(&[OFFICE])))
            .await;
        self.work(&batch).await;
        for (table, columns) in [
            (
                "batch_results",
                "result_count, first_seq, change_count, dispositions, results, failed_user_ids",
            ),
            ("batch_chunks", "turns, digest"),
        ] {
            for copy in 1..=20 {
                let rows = format!(
                    "INSERT INTO {table} (customer_id, batch_id, first_position, {columns}) \
                     SELECT customer_id, batch_id, first_position + {copy} * 1000, {columns} \
                     FROM {table} WHERE first_position < 1000"
                );
                raw::execute(&self.store, &rows).await;
            }
        }
        self.batch(&batch).await
    }

    /// Requests that go back to a batch.
    pub(super) fn going_back(&self, number: u8, batch: &Batch) -> [NewBatch; 2] {
        let batch = batch.batch_id;
        let request = |number, users| NewBatch {
            changes: Vec::new(),
            users,
            ..self.request(number, &[], Change::default())
        };
        let revert = Revert {
            batch,
            takes_safe_part: false,
        };
        let retry = Retry {
            batch,
            with_skipped: true,
        };
        [
            request(number, Users::Reverted(revert)),
            request(number + 1, Users::Retried(retry)),
        ]
    }
}

async fn rows_left(fixture: &Fixture) -> (usize, usize) {
    let contents = raw::contents(&fixture.store).await;
    (
        contents["batch_results"].len(),
        contents["batch_chunks"].len(),
    )
}

pub(super) async fn results_are_pruned_step_by_step_and_the_batch_stays(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 90).await;
    let users = fixture.create_users(1..=100).await;
    let before = fixture.run_large(1, &users).await;
    assert_eq!(rows_left(&fixture).await, (42, 42));

    // The first step marks the batch: what is still there counts as gone.
    let step = fixture.rows.prune_results(later(1));
    assert_eq!(step.await.expect("a step"), Some(2 * STEP_CHUNKS as usize));
    assert_eq!(rows_left(&fixture).await, (26, 26));
    let pruned = fixture.batch(&before).await;
    assert!(pruned.is_pruned() && !before.is_pruned());
    let gone = Refusal::ResultsPruned(before.batch_id);
    for position in [0, 64, 40_000] {
        let results = fixture.rows.batch_results(before.batch_id, position, 9);
        assert_eq!(raw::refusal(&fixture.store, results).await, gone);
    }

    // The server is gone; another one goes on.
    let other = fixture.on_another_server().await;
    assert_eq!(other.prune_results(later(1)).await, [32, 20]);
    assert_eq!(rows_left(&fixture).await, (0, 0));
    assert_eq!(other.prune_results(later(1)).await, [] as [usize; 0]);

    let after = fixture.batch(&before).await;
    assert_eq!(after.request_id, before.request_id);
    assert_eq!(
        (after.applied_count, after.failed_count, after.ended_at),
        (90, 10, Some(NOW))
    );
    let listed = fixture.rows.batches(Some(true), &Place::First, 9);
    assert_eq!(listed.await.expect("a list"), [after]);
    fixture.chain().await;
}

pub(super) async fn a_pruned_batch_is_refused_and_never_executed_again(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 90).await;
    let users = fixture.create_users(1..=100).await;
    let request = fixture.request(1, &users, assign(&[OFFICE]));
    let batch = fixture.accept(&request).await;
    fixture.work(&batch).await;
    fixture.run(2, &users, revoke(&[OFFICE])).await;
    fixture.prune_results(later(1)).await;

    let (store, rows) = (&fixture.store, &fixture.rows);
    let gone = Refusal::ResultsPruned(batch.batch_id);
    // Everybody could be given a product now.
    fixture.enable_seats(OFFICE, 900).await;
    let again = raw::refusal(store, fixture.try_accept(&request)).await;
    assert_eq!(again, gone);
    let mut other = fixture.request(1, &users[..1], assign(&[OFFICE]));
    other.request_hash = [9; 32];
    let other = raw::refusal(store, fixture.try_accept(&other)).await;
    assert_eq!(other, Refusal::RequestIdReused);
    for request in fixture.going_back(3, &batch) {
        let refused = raw::refusal(store, fixture.try_accept(&request)).await;
        assert_eq!(refused, gone);
    }
    let filter = UserFilter {
        failed_in: Some(batch.batch_id),
        ..UserFilter::default()
    };
    let failed = rows.users(&filter, UserOrder::Id, &Place::First, 9);
    assert_eq!(raw::refusal(store, failed).await, gone);
    assert_eq!(fixture.assigned(OFFICE).await, 0);
}

pub(super) async fn what_runs_or_is_young_is_not_pruned(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    let users = fixture.create_users(1..=100).await;
    let running = fixture.request(1, &users, assign(&[OFFICE]));
    let running = fixture.accept(&running).await;
    fixture.write(fixture.chunk(&running, 0).await).await;
    let old = fixture.run(2, &users[..1], revoke(&[OFFICE])).await;
    let mut long = fixture
        .accept(&fixture.request(3, &users[..1], assign(&[OFFICE])))
        .await;
    let mut chunk = fixture.chunk(&long, 0).await;
    chunk.now = days(1);
    fixture.write(chunk).await;
    long = fixture.batch(&long).await;
    assert_eq!((old.as_str(), long.ended_at), ("A", Some(days(1))));

    // At the end of the second, and at that of the third, to the microsecond.
    for (before, rows) in [(NOW, 0), (Timestamp(NOW.0 + 1), 2), (days(1), 0)] {
        let steps = fixture.prune_results(before).await;
        assert_eq!(steps.iter().sum::<usize>(), rows, "before {before:?}");
    }
    assert!(!fixture.batch(&long).await.is_pruned());
    assert_eq!(fixture.prune_results(days(999)).await, [2]);
    assert!(fixture.batch(&long).await.is_pruned());
    let still = fixture.batch(&running).await;
    assert!(!still.is_pruned());
    fixture.write(fixture.chunk(&still, 64).await).await;
    let results = fixture.results(&running, 0).await;
    assert_eq!(results.iter().map(|part| part.count).sum::<i64>(), 100);
}

pub(super) async fn a_revert_that_runs_needs_nothing_that_is_pruned(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    let users = fixture.create_users(1..=100).await;
    let batch = fixture.request(1, &users, assign(&[OFFICE]));
    let batch = fixture.accept(&batch).await;
    fixture.work(&batch).await;
    let [mut revert, _] = fixture.going_back(2, &batch);
    revert.now = days(1);
    let revert = fixture.accept(&revert).await;
    fixture.write(fixture.chunk(&revert, 0).await).await;

    fixture.prune_results(later(1)).await;
    assert!(fixture.batch(&batch).await.is_pruned());
    let start = fixture.move_start(days(9), days(9)).await.expect("moved");
    assert!(start.at < days(1), "{start:?}");
    let step = || fixture.rows.prune_journal();
    while step().await.expect("a step").is_some() {}
    let origin = fixture.rows.batch_origin(revert.batch_id);
    assert_eq!(origin.await.expect("an origin"), *BY);
    fixture.write(fixture.chunk(&revert, 64).await).await;
    let reverted = fixture.batch(&revert).await;
    assert_eq!((reverted.applied_count, reverted.has_ended()), (100, true));
    assert_eq!(fixture.assigned(OFFICE).await, 0);
    fixture.chain().await;
}
