//! Who works on a batch: leases, fences and listing.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, OFFICE, assign, customer, display, later, scope};
use super::overlap::{self, Overlap};
use super::raw;
use crate::domain::{BatchId, Snapshot};
use crate::store::{Batch, Chunk, Decide, Refusal, Timestamp, Written};

/// A customer with a running batch of 100 users, whose lease ends after 30 seconds.
async fn running(fresh: Fresh) -> (Fixture, Batch) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    let users = fixture.create_users(1..=100).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    (fixture, batch)
}

async fn abandoned(fixture: &Fixture, now: Timestamp) -> Vec<BatchId> {
    let found = fixture
        .store
        .abandoned_batches(now, 9)
        .await
        .expect("a list");
    found
        .into_iter()
        .filter(|one| one.0 == scope(fixture.customer))
        .map(|one| one.1)
        .collect()
}

async fn claim(fixture: &Fixture, batch: &Batch, now: Timestamp) -> Option<i64> {
    let until = Timestamp(now.0 + 30_000_000);
    let claimed = fixture.rows.claim_batch(batch.batch_id, now, until).await;
    claimed.expect("an answer")
}

pub(super) async fn a_batch_is_abandoned_when_its_lease_is_over(fresh: Fresh) {
    let (fixture, batch) = running(fresh).await;
    for now in [NOW, later(29), later(30)] {
        assert_eq!(abandoned(&fixture, now).await, []);
        assert_eq!(claim(&fixture, &batch, now).await, None);
    }
    assert_eq!(abandoned(&fixture, later(31)).await, [batch.batch_id]);
    // A chunk is a sign of life.
    let chunk = Chunk {
        lease_expires_at: later(60),
        ..fixture.chunk(&batch, 0).await
    };
    fixture.write(chunk).await;
    assert_eq!(abandoned(&fixture, later(60)).await, []);
    assert_eq!(abandoned(&fixture, later(61)).await, [batch.batch_id]);
    // So is a claim, and what has ended is not abandoned.
    assert_eq!(claim(&fixture, &batch, later(61)).await, Some(2));
    assert_eq!(abandoned(&fixture, later(91)).await, []);
    let chunk = Chunk {
        fence: 2,
        ..fixture.chunk(&batch, 64).await
    };
    fixture.write(chunk).await;
    assert_eq!(abandoned(&fixture, later(9_999)).await, []);
    assert_eq!(claim(&fixture, &batch, later(9_999)).await, None);
}

pub(super) async fn abandoned_batches_of_all_customers_are_found(fresh: Fresh) {
    let (fixture, batch) = running(fresh).await;
    let there = fixture.of(customer(2));
    let name = display("Fabrikam");
    there
        .store
        .create_customer(there.customer, &name, &BY, NOW)
        .await
        .expect("created");
    let users = there.create_users(1..=1).await;
    let second = there
        .accept(&there.request(1, &users, assign(&[OFFICE])))
        .await;
    let expected = [
        (scope(fixture.customer), batch.batch_id),
        (scope(there.customer), second.batch_id),
    ];
    let found = fixture
        .store
        .abandoned_batches(later(31), 9)
        .await
        .expect("a list");
    assert_eq!(found, expected);
    let found = fixture
        .store
        .abandoned_batches(later(31), 1)
        .await
        .expect("a list");
    assert_eq!(found, expected[..1]);
}

pub(super) async fn whoever_lost_a_batch_can_no_longer_write_to_it(fresh: Fresh) {
    let (fixture, batch) = running(fresh).await;
    fixture.write(fixture.chunk(&batch, 0).await).await;
    assert_eq!(claim(&fixture, &batch, later(31)).await, Some(2));
    assert_eq!(claim(&fixture, &batch, later(62)).await, Some(3));

    let chunk = fixture.chunk(&batch, 64).await;
    for (fence, first_position) in [(1, 64), (2, 64), (4, 64), (1, 0)] {
        let chunk = Arc::new(Chunk {
            fence,
            first_position,
            ..chunk.clone()
        });
        let before = raw::contents(&fixture.store).await;
        let decide: Decide = Arc::new(|_: &Snapshot| panic!("asked without the right to write"));
        let written = fixture
            .rows
            .write_chunk(chunk, decide)
            .await
            .expect("an answer");
        assert!(
            matches!(written, Written::Fenced),
            "fence {fence}: {written:?}"
        );
        assert_eq!(raw::contents(&fixture.store).await, before);
    }
    fixture.write(Chunk { fence: 3, ..chunk }).await;
    assert!(fixture.batch(&batch).await.has_ended());
}

pub(super) async fn one_of_many_that_claim_a_batch_at_once_gets_it(fresh: Fresh) {
    const SERVERS: usize = 8;
    let (fixture, batch) = running(fresh).await;
    for round in 1..=5i64 {
        let (start, now) = (Arc::new(Barrier::new(SERVERS)), later(31 * round));
        let overlap = Arc::new(Overlap::default());
        let mut servers = JoinSet::new();
        for _ in 0..SERVERS {
            let (server, batch) = (fixture.on_another_server().await, batch.clone());
            let (start, overlap) = (start.clone(), overlap.clone());
            servers.spawn(async move {
                start.wait().await;
                overlap.during(claim(&server, &batch, now)).await
            });
        }
        let claimed: Vec<i64> = servers.join_all().await.into_iter().flatten().collect();
        overlap.assert_happened();
        assert_eq!(claimed, [round + 1]);
    }
}

pub(super) async fn a_batch_that_is_handed_back_can_be_claimed_at_once(fresh: Fresh) {
    let (fixture, batch) = running(fresh).await;
    let Fixture { rows, .. } = &fixture;
    // Only by whoever has it.
    rows.release_batch(batch.batch_id, 2, later(1))
        .await
        .expect("an answer");
    assert_eq!(abandoned(&fixture, later(2)).await, []);
    rows.release_batch(batch.batch_id, 1, later(1))
        .await
        .expect("an answer");
    assert_eq!(abandoned(&fixture, later(2)).await, [batch.batch_id]);
    assert_eq!(claim(&fixture, &batch, later(2)).await, Some(2));
    assert_eq!(fixture.batch(&batch).await, batch, "nothing else moves");
}

/// A chunk that is being written is a sign of life: the claim waits for it and comes too late.
pub(super) async fn a_batch_is_not_taken_over_in_the_middle_of_a_chunk(fresh: Fresh) {
    let (fixture, batch) = running(fresh).await;
    let chunk = Chunk {
        lease_expires_at: later(60),
        ..fixture.chunk(&batch, 0).await
    };
    let chunk = Arc::new(chunk);
    // Long enough for a claim that does not wait.
    let (decide, begun) = overlap::slow(fixture.decision(&chunk), overlap::pause(300));
    let (server, rows) = (fixture.on_another_server().await, fixture.rows.clone());
    let write = tokio::spawn(async move { rows.write_chunk(chunk, decide).await });
    begun.notified().await;
    assert!(
        !write.is_finished(),
        "they did not overlap: this shows nothing"
    );
    let claimed = claim(&server, &batch, later(31)).await;
    let written = write.await.expect("no panic").expect("written");
    assert!(matches!(written, Written::Done(_)), "{written:?}");
    assert_eq!(claimed, None);
    assert_eq!(fixture.batch(&batch).await.next_position, 64);
}

pub(super) async fn a_batch_that_is_not_there_is_not_found(fresh: Fresh) {
    let (fixture, _) = running(fresh).await;
    let unknown = BatchId(uuid::Uuid::from_u128(99));
    let expected = Refusal::NotFound {
        resource: "batch",
        id: unknown.to_string(),
    };
    let found = fixture.rows.batch(unknown);
    assert_eq!(raw::refusal(&fixture.store, found).await, expected);
}
