//! Batches that are cancelled, before any chunk and after each.

use uuid::Uuid;

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, OFFICE, assign, customer, revoke, scope, user};
use super::raw;
use crate::domain::{BatchId, Stop, Terms};
use crate::store::{Batch, NewBatch};

async fn cancel(fixture: &Fixture, batch: &Batch) -> Batch {
    let cancelled = fixture.rows.cancel_batch(batch.batch_id, &BY, NOW).await;
    cancelled.expect("cancelled")
}

/// Does the chunks at these positions, and gives the results up to then.
async fn work_at(fixture: &Fixture, batch: &Batch, positions: &[i64]) -> String {
    for position in positions {
        fixture.write(fixture.chunk(batch, *position).await).await;
    }
    let results = fixture.results(batch, 0).await;
    let letters = results.into_iter().flat_map(|results| results.bytes);
    letters.map(char::from).collect()
}

pub(super) async fn a_cancelled_batch_skips_all_who_had_no_turn(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 600).await;
    let users = fixture.create_users(1..=600).await;
    let chunks = [0, 64, 564];
    for (number, done) in (1..).zip(0..=chunks.len()) {
        let batch = fixture.request(number, &users, assign(&[OFFICE]));
        let batch = fixture.accept(&batch).await;
        work_at(&fixture, &batch, &chunks[..done]).await;
        let served = [0, 64, 564, 600][done];

        let cancelled = cancel(&fixture, &batch).await;
        let stop = (done < chunks.len()).then_some(Stop::Cancelled);
        assert_eq!(cancelled.stopped(), stop);
        assert_eq!(
            (cancelled.next_position, cancelled.has_ended()),
            (served, stop.is_none())
        );
        assert_eq!(
            cancel(&fixture, &batch).await,
            cancelled,
            "once more changes nothing"
        );

        let letters = work_at(&fixture, &batch, &chunks[done..]).await;
        let skipped = 600 - served;
        let expected = "A".repeat(served as usize) + &"S".repeat(skipped as usize);
        assert_eq!(letters, expected, "after {done} chunks");
        let ended = fixture.batch(&batch).await;
        assert_eq!(
            (ended.applied_count, ended.skipped_count),
            (served, skipped)
        );
        assert_eq!((ended.has_ended(), ended.stopped()), (true, stop));
        assert_eq!(fixture.assigned(OFFICE).await, served);
        assert_eq!(cancel(&fixture, &batch).await, ended, "it has ended");
        fixture.run(number + 100, &users, revoke(&[OFFICE])).await;
    }
}

pub(super) async fn a_cancelled_atomic_batch_does_nothing(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 600).await;
    let users = fixture.create_users(1..=600).await;
    let request = NewBatch {
        terms: Terms::Atomic,
        ..fixture.request(1, &users, assign(&[OFFICE]))
    };
    let batch = fixture.accept(&request).await;
    cancel(&fixture, &batch).await;
    assert_eq!(fixture.work(&batch).await, "S".repeat(600));
    let ended = fixture.batch(&batch).await;
    assert_eq!(
        (ended.has_ended(), ended.stopped()),
        (true, Some(Stop::Cancelled))
    );
    assert!(raw::changes(&fixture).await.is_empty());
}

pub(super) async fn a_batch_that_stops_by_itself_or_has_ended_is_not_cancelled(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 600).await;
    let mut users = fixture.create_users(1..=99).await;
    users.insert(3, user(1_000));
    let request = NewBatch {
        terms: Terms::StopAfter(1),
        ..fixture.request(1, &users, assign(&[OFFICE]))
    };
    let batch = fixture.accept(&request).await;
    let first = fixture.chunk(&batch, 0).await;
    fixture.write_on_terms(first, request.terms).await;
    let stopped = cancel(&fixture, &batch).await;
    assert_eq!(
        (stopped.stopped(), stopped.has_ended()),
        (Some(Stop::Failures), false)
    );

    let one = fixture.request(2, &users[..1], assign(&[OFFICE]));
    let one = fixture.accept(&one).await;
    assert_eq!(fixture.work(&one).await, "U");
    assert_eq!(cancel(&fixture, &one).await.stopped(), None);

    let Fixture {
        store,
        customer: own,
        ..
    } = &fixture;
    for (customer, id) in [(*own, Uuid::from_u128(99)), (customer(9), one.batch_id.0)] {
        raw::refusal(
            store,
            store
                .of(scope(customer))
                .cancel_batch(BatchId(id), &BY, NOW),
        )
        .await;
    }
}
