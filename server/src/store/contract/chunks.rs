//! Chunks: what one commits, and when it must not.

use std::sync::Arc;

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign, assign_plans, by_id, edition,
    edition_product, later, of_user, plan, user,
};
use super::raw;
use super::work::decision_of;
use crate::domain::{Change, ChoiceId, Edit, Place, Plan, PlanChoice, Snapshot, Terms, decide};
use crate::store::{Batch, Chunk, Decide, Error, StoredResults, Written};

/// Position, applied, unchanged, failed.
fn progress(batch: &Batch) -> [i64; 4] {
    [
        batch.next_position,
        batch.applied_count,
        batch.unchanged_count,
        batch.failed_count,
    ]
}

/// Hands in a chunk that cannot be done: nothing is decided and nothing is written.
async fn obstacle(fixture: &Fixture, chunk: Chunk) -> Written {
    let before = raw::contents(&fixture.store).await;
    let decide: Decide = Arc::new(|_| panic!("asked for a decision that cannot be used"));
    let written = fixture
        .rows
        .write_chunk(Arc::new(chunk), decide)
        .await
        .expect("an answer");
    assert_eq!(
        raw::contents(&fixture.store).await,
        before,
        "written in spite of {written:?}"
    );
    written
}

pub(super) async fn a_chunk_commits_everything_together(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 90).await;
    fixture.enable_seats(BASIC, 900).await;
    let users = fixture.create_users(1..=100).await;
    let both = || assign(&[OFFICE, BASIC]);
    assert_eq!(fixture.run(1, &users[..1], both()).await, "A");
    let batch = fixture.accept(&fixture.request(2, &users, both())).await;

    let mut chunk = fixture.chunk(&batch, 0).await;
    chunk.now = later(9);
    fixture.write(chunk).await;
    let now = fixture.batch(&batch).await;
    assert_eq!(progress(&now), [64, 63, 1, 0]);
    assert_eq!((now.has_ended(), now.ended_at), (false, None));
    let totals = raw::totals(&fixture.store).await;
    assert_eq!((totals.assignments, totals.assigned), (128, 128));
    assert_eq!(raw::changes(&fixture).await.len(), 64);
    // One result is the first batch's.
    assert_eq!((totals.results, totals.next_position), (65, 65));

    let mut chunk = fixture.chunk(&batch, 64).await;
    chunk.now = later(10);
    assert!(chunk.is_last);
    fixture.write(chunk).await;
    let now = fixture.batch(&batch).await;
    assert_eq!(progress(&now), [100, 89, 1, 10]);
    assert_eq!((now.has_ended(), now.ended_at), (true, Some(later(10))));
    assert_eq!(fixture.assigned(OFFICE).await, 90);
    assert_eq!(fixture.assigned(BASIC).await, 90);
    let bytes = [b"A".repeat(26), b"F".repeat(10)].concat();
    let results = StoredResults {
        first_position: 64,
        count: 36,
        bytes,
    };
    assert_eq!(fixture.results(&batch, 64).await, [results]);

    let Fixture { rows, .. } = &fixture;
    let held = rows.assignments(of_user(user(2)), &Place::First, 9).await;
    let held = held.expect("assignments");
    let products: Vec<_> = held.iter().map(|one| one.product).collect();
    assert_eq!(products, [OFFICE, BASIC]);
    for one in held {
        let expected = (batch.batch_id, later(9), PlanChoice::ALL);
        assert_eq!((one.batch, one.assigned_at, one.plans), expected);
    }
}

/// Promises 4 and 5: whatever is wrong with a plan, none of it stays; the next decision counts.
pub(super) async fn a_chunk_that_cannot_be_written_leaves_no_trace(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    fixture.enable_seats(BASIC, 9).await;
    let users = fixture.create_users(1..=3).await;
    assert_eq!(fixture.run(1, &users[..1], assign(&[OFFICE])).await, "A");
    let change = assign_plans(OFFICE, PlanChoice::Only(vec![plan(1)]));
    let batch = fixture.accept(&fixture.request(2, &users, change)).await;
    let chunk = Arc::new(fixture.chunk(&batch, 0).await);

    let edit = |product, before: Option<i32>, after: Option<i32>| Edit {
        product,
        before: before.map(ChoiceId),
        after: after.map(ChoiceId),
    };
    type Spoil = Box<dyn Fn(&mut Plan) + Send + Sync>;
    let spoils: [(&str, Spoil); 6] = [
        (
            "seats below zero",
            Box::new(|plan| *plan.seat_deltas.entry(BASIC).or_default() = -1),
        ),
        (
            "no license",
            Box::new(|plan| *plan.seat_deltas.entry(PREMIUM).or_default() = 1),
        ),
        (
            "not held",
            Box::new(move |plan| plan.outcomes[2].edits.push(edit(BASIC, Some(0), None))),
        ),
        (
            "not held, changed",
            Box::new(move |plan| plan.outcomes[2].edits.push(edit(BASIC, Some(0), Some(-1)))),
        ),
        (
            "held",
            Box::new(move |plan| plan.outcomes[0].edits = vec![edit(OFFICE, None, Some(-1))]),
        ),
        (
            "no license, assigned",
            Box::new(move |plan| plan.outcomes[2].edits.push(edit(PREMIUM, None, Some(0)))),
        ),
    ];
    for (what, spoil) in spoils {
        let (catalogue, inner) = (fixture.catalogue.clone(), chunk.clone());
        let spoiled: Decide = Arc::new(move |snapshot: &Snapshot| {
            let mut plan = decide(&catalogue, snapshot, &inner.order, Terms::BestEffort);
            assert_eq!(plan.new_choices.len(), 1);
            spoil(&mut plan);
            decision_of(plan)
        });
        let write = fixture.rows.write_chunk(chunk.clone(), spoiled);
        let error = raw::failure(&fixture.store, write).await;
        assert!(matches!(error, Error::Broken(_)), "{what}: {error:?}");
    }
    assert_eq!(fixture.work(&batch).await, "AAA");
    assert_eq!(
        (
            fixture.assigned(OFFICE).await,
            fixture.assigned(BASIC).await
        ),
        (3, 0)
    );
    assert_eq!(raw::changes(&fixture).await.len(), 4);
    assert_eq!(raw::choices(&fixture).await, [(1, true, 1)]);
}

pub(super) async fn a_chunk_that_was_done_is_not_done_again(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    let users = fixture.create_users(1..=100).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    let (first, second) = (
        fixture.chunk(&batch, 0).await,
        fixture.chunk(&batch, 64).await,
    );
    // Not before its turn either.
    assert!(matches!(
        obstacle(&fixture, second.clone()).await,
        Written::Behind(0)
    ));
    fixture.write(first.clone()).await;
    assert!(matches!(
        obstacle(&fixture, first.clone()).await,
        Written::Behind(64)
    ));
    fixture.write(second.clone()).await;
    for chunk in [first, second] {
        assert!(matches!(
            obstacle(&fixture, chunk).await,
            Written::Behind(100)
        ));
    }
    assert_eq!(fixture.assigned(OFFICE).await, 100);
}

pub(super) async fn a_chunk_is_not_decided_by_a_catalogue_that_moved(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    let users = fixture.create_users(1..=100).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    fixture.write(fixture.chunk(&batch, 0).await).await;

    let next = edition(vec![edition_product(OFFICE, "Office", &[1, 2, 5])]);
    fixture
        .store
        .import_edition(&next, &BY, NOW)
        .await
        .expect("imported");
    let chunk = fixture.chunk(&batch, 64).await;
    assert!(matches!(
        obstacle(&fixture, chunk).await,
        Written::CatalogueMoved
    ));

    let catalogue = Arc::new(fixture.store.catalogue().await.expect("a catalogue"));
    let fixture = Fixture {
        catalogue,
        ..fixture
    };
    fixture.write(fixture.chunk(&batch, 64).await).await;
    assert_eq!(progress(&fixture.batch(&batch).await), [100, 100, 0, 0]);
}

pub(super) async fn a_user_deleted_or_changed_since_acceptance_is_seen_as_it_is(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    let users = fixture.create_users(1..=4).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    let rows = &fixture.rows;
    rows.delete_user(&by_id(user(2)), None, &BY, NOW)
        .await
        .expect("deleted");
    let mut update = crate::store::UserUpdate {
        active: Some(false),
        ..Default::default()
    };
    rows.update_user(&by_id(user(3)), &update, None, &BY, NOW)
        .await
        .expect("changed");
    (update.active, update.usage_location) = (None, Some(None));
    rows.update_user(&by_id(user(4)), &update, None, &BY, NOW)
        .await
        .expect("changed");
    assert_eq!(fixture.work(&batch).await, "AFFF");
    assert_eq!(progress(&fixture.batch(&batch).await), [4, 1, 0, 3]);
    assert_eq!(fixture.assigned(OFFICE).await, 1);
}

pub(super) async fn a_product_is_swapped_for_one_that_excludes_it(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(BASIC, 3).await;
    fixture.enable_seats(PREMIUM, 2).await;
    let users = fixture.create_users(1..=3).await;
    assert_eq!(fixture.run(1, &users, assign(&[BASIC])).await, "AAA");
    assert_eq!(fixture.run(2, &users, assign(&[PREMIUM])).await, "FFF");
    let swap = Change {
        revoke: vec![BASIC],
        ..assign(&[PREMIUM])
    };
    assert_eq!(fixture.run(3, &users, swap).await, "AAF");
    assert_eq!(fixture.held(user(1)).await, [PREMIUM]);
    assert_eq!(fixture.held(user(3)).await, [BASIC]);
    assert_eq!(
        (
            fixture.assigned(BASIC).await,
            fixture.assigned(PREMIUM).await
        ),
        (1, 2)
    );
    let changes = raw::changes(&fixture).await;
    let all = Some(ChoiceId::ALL);
    let edits = [
        Edit {
            product: PREMIUM,
            before: None,
            after: all,
        },
        Edit {
            product: BASIC,
            before: all,
            after: None,
        },
    ];
    assert_eq!(changes.last().expect("a change").edits, edits);
}
