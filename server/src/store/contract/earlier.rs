//! Batches that go back to an earlier one: reverts and retries.

use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign, assign_plans, by_id, by_name, customer,
    name_of, new_user, plan, revoke, user,
};
use super::raw;
use super::terms::preview;
use crate::domain::{
    BatchId, Change, PlanChoice, PlanEdit, ProductId, Replace, Snapshot, Terms, Turn, UserId,
};
use crate::store::{Accepted, Batch, Chunk, Db, NewBatch, Refusal, Retry, Revert, Users};

pub(super) fn reverting(
    fixture: &Fixture,
    number: u8,
    batch: &Batch,
    takes_safe_part: bool,
) -> NewBatch {
    let batch = batch.batch_id;
    NewBatch {
        changes: Vec::new(),
        users: Users::Reverted(Revert {
            batch,
            takes_safe_part,
        }),
        ..fixture.request(number, &[], Change::default())
    }
}

fn retrying(fixture: &Fixture, number: u8, batch: &Batch, with_skipped: bool) -> NewBatch {
    let batch = batch.batch_id;
    NewBatch {
        changes: Vec::new(),
        users: Users::Retried(Retry {
            batch,
            with_skipped,
        }),
        ..fixture.request(number, &[], Change::default())
    }
}

/// Who holds what, with which choice.
async fn holdings(fixture: &Fixture) -> Vec<String> {
    let text = "CAST(choice_id AS text) AS line FROM assignments ORDER BY 1";
    let query = match matches!(fixture.store.db, Db::Postgres(_)) {
        true => format!("SELECT user_id || ' ' || product_id || ' ' || {text}"),
        false => format!("SELECT hex(user_id) || ' ' || hex(product_id) || ' ' || {text}"),
    };
    raw::lines(&fixture.store, &query).await
}

async fn do_all(fixture: &Fixture, request: &NewBatch) -> (Batch, String) {
    let batch = fixture.accept(request).await;
    let letters = fixture.work(&batch).await;
    (fixture.batch(&batch).await, letters)
}

fn replace(product: ProductId, by: ProductId, plans: Option<PlanEdit>) -> Change {
    Change {
        replace: vec![Replace { product, by, plans }],
        ..Change::default()
    }
}

/// Changes of every kind, one per user in turn.
fn kinds() -> Vec<Change> {
    let delta = PlanEdit::Delta {
        enable: vec![plan(1)],
        disable: vec![plan(2)],
    };
    vec![
        assign(&[OFFICE]),
        revoke(&[OFFICE]),
        assign_plans(OFFICE, PlanChoice::Only(vec![plan(2)])),
        replace(BASIC, PREMIUM, None),
        replace(BASIC, OFFICE, Some(delta)),
        Change {
            revoke_others: Some(vec![PREMIUM]),
            ..Change::default()
        },
    ]
}

pub(super) async fn a_revert_restores_what_the_batch_found_and_can_be_reverted(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    for product in [OFFICE, BASIC, PREMIUM] {
        fixture.enable_seats(product, 700).await;
    }
    let users = fixture.create_users(1..=600).await;
    let some = PlanChoice::AllExcept(vec![plan(1)]);
    fixture
        .run(1, &users[..450], assign_plans(OFFICE, some))
        .await;
    fixture.run(2, &users[150..300], assign(&[OFFICE])).await;
    fixture.run(3, &users[200..500], assign(&[BASIC])).await;
    let before = holdings(&fixture).await;

    let kinds = kinds();
    let place = |index: usize| (index % kinds.len()) as u32;
    let listed = users.iter().enumerate();
    let listed = listed.map(|(index, user)| (by_id(*user), place(index)));
    let request = NewBatch {
        users: Users::Listed(listed.collect()),
        changes: kinds.clone(),
        ..fixture.request(4, &[], Change::default())
    };
    let (batch, letters) = do_all(&fixture, &request).await;
    let after = holdings(&fixture).await;
    assert_ne!(before, after);
    assert!(letters.contains('A') && letters.contains('U'), "{letters}");

    let mut seen = (batch.clone(), after);
    for (number, expected) in (5..).zip([before.clone(), seen.1.clone(), before]) {
        let request = reverting(&fixture, number, &seen.0, false);
        let (told, shown, _) = preview(&fixture, &request).await;
        let (revert, letters) = do_all(&fixture, &request).await;
        assert_eq!(letters, "A".repeat(seen.0.applied_count as usize));
        assert_eq!((told, shown.applied_count), (letters, revert.applied_count));
        assert_eq!(holdings(&fixture).await, expected, "revert {number}");
        assert_eq!(revert.reverts(), Some(seen.0.batch_id));
        assert_eq!(
            fixture.batch(&seen.0).await.reverted_by(),
            Some(revert.batch_id)
        );
        assert_eq!((revert.retries(), revert.retried_by()), (None, None));
        let again = fixture.try_accept(&request).await.expect("no error");
        assert!(matches!(again, Accepted::Before(before) if before == revert));
        seen = (revert, expected);
    }
    // Everything is as it was before the first: there is nothing left to do.
    let (again, letters) = do_all(&fixture, &reverting(&fixture, 9, &batch, false)).await;
    assert_eq!(letters, "U".repeat(batch.applied_count as usize));
    let known = fixture.batch(&batch).await.reverted_by();
    assert_eq!(known, Some(again.batch_id), "the newest one");
}

pub(super) async fn a_revert_leaves_alone_what_was_changed_since(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 100).await;
    fixture.enable_seats(BASIC, 100).await;
    let users = fixture.create_users(1..=6).await;
    let (batch, _) = do_all(
        &fixture,
        &fixture.request(1, &users, assign(&[OFFICE, BASIC])),
    )
    .await;
    let only = assign_plans(OFFICE, PlanChoice::Only(vec![plan(1)]));
    fixture.run(2, &users[1..2], only.clone()).await;
    fixture.run(3, &users[2..3], revoke(&[OFFICE])).await;
    fixture.run(4, &users[3..4], revoke(&[OFFICE, BASIC])).await;
    // Changed and changed back, to the same choice.
    fixture.run(5, &users[4..5], only).await;
    fixture
        .run(6, &users[4..5], assign_plans(OFFICE, PlanChoice::ALL))
        .await;
    let gone = &by_id(users[5]);
    let deleted = fixture.rows.delete_user(gone, None, &BY, NOW);
    deleted.await.expect("deleted");

    let all = do_all(&fixture, &reverting(&fixture, 7, &batch, false)).await;
    assert_eq!(all.1, "AFFUAF");
    let safe = do_all(&fixture, &reverting(&fixture, 8, &batch, true)).await;
    assert_eq!(safe.1, "UAAUUF");
    let left = fixture.assigned(OFFICE).await + fixture.assigned(BASIC).await;
    assert_eq!(left, 1, "the choice that somebody else made");
}

pub(super) async fn a_revert_says_who_has_changed_what_since(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 100).await;
    fixture.enable_seats(BASIC, 100).await;
    let users = fixture.create_users(1..=3).await;
    let (batch, _) = do_all(
        &fixture,
        &fixture.request(1, &users, assign(&[OFFICE, BASIC])),
    )
    .await;
    let only = |number| assign_plans(OFFICE, PlanChoice::Only(vec![plan(number)]));
    fixture.run(2, &users[1..], only(1)).await;
    fixture.run(3, &users[1..2], revoke(&[BASIC])).await;
    fixture.run(4, &users[2..], only(2)).await;
    // About something else.
    fixture.enable_seats(PREMIUM, 100).await;
    fixture.run(5, &users[1..2], assign(&[PREMIUM])).await;

    let revert = fixture.accept(&reverting(&fixture, 9, &batch, true)).await;
    let chunk = Arc::new(fixture.chunk(&revert, 0).await);
    let seen: Arc<Mutex<Option<Snapshot>>> = Arc::default();
    let (decide, keep) = (fixture.decision(&chunk), seen.clone());
    let written = fixture.rows.write_chunk(
        chunk,
        Arc::new(move |snapshot| {
            *keep.lock().expect("no panic") = Some(snapshot.clone());
            decide(snapshot)
        }),
    );
    written.await.expect("written");
    let snapshot = seen.lock().expect("no panic").take().expect("decided");
    let changers = |user: UserId| {
        let changers = snapshot.users[&user].changers.clone();
        let number = |(product, batch): (ProductId, BatchId)| (product, batch.0.as_u128());
        changers.into_iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(changers(users[0]), []);
    // With the safe part, what was taken back already is no longer of interest.
    assert_eq!(changers(users[1]), [(OFFICE, 2)]);
    assert_eq!(changers(users[2]), [(OFFICE, 4)]);
}

pub(super) async fn a_retry_tries_those_who_failed_in_the_order_of_the_request(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 0).await;
    fixture.enable_seats(BASIC, 0).await;
    let mut users = fixture.create_users(1..=200).await;
    users.reverse();
    let listed = users.iter().enumerate();
    let listed = listed.map(|(index, user)| (by_id(*user), u32::from(index % 2 == 0)));
    let request = NewBatch {
        users: Users::Listed(listed.collect()),
        changes: vec![assign(&[OFFICE]), assign(&[BASIC])],
        ..fixture.request(1, &[], Change::default())
    };
    let (batch, letters) = do_all(&fixture, &request).await;
    assert_eq!(letters, "F".repeat(200));

    fixture.enable_seats(OFFICE, 30).await;
    let (first, letters) = do_all(&fixture, &retrying(&fixture, 2, &batch, false)).await;
    let expected: String = (0..200)
        .map(|index| {
            if index % 2 == 1 && index < 60 {
                'A'
            } else {
                'F'
            }
        })
        .collect();
    assert_eq!(letters, expected);
    assert_eq!(first.retries(), Some(batch.batch_id));
    assert_eq!(
        fixture.batch(&batch).await.retried_by(),
        Some(first.batch_id)
    );

    fixture.enable_seats(OFFICE, 100).await;
    fixture.enable_seats(BASIC, 100).await;
    let request = retrying(&fixture, 3, &first, false);
    let (told, ..) = preview(&fixture, &request).await;
    let (second, letters) = do_all(&fixture, &request).await;
    assert_eq!((&told, &letters), (&letters, &"A".repeat(170)));
    let mut indexes = Vec::new();
    for position in [0, 64] {
        let Chunk { order, .. } = fixture.chunk(&second, position).await;
        let named = |turn: &Turn| turn.name == name_of(turn.user.expect("a user").0.as_u128());
        assert!(
            order.turns.iter().all(named),
            "users are named as they are now"
        );
        indexes.extend(order.turns.iter().map(|turn| turn.index));
    }
    indexes.sort_unstable();
    assert_eq!(indexes, (0..170).collect::<Vec<_>>());
    let seats = (
        fixture.assigned(OFFICE).await,
        fixture.assigned(BASIC).await,
    );
    assert_eq!(seats, (100, 100));
}

pub(super) async fn a_retry_looks_up_again_who_was_not_there(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 100).await;
    let users = fixture.create_users(1..=1).await;
    let listed = [
        by_id(users[0]),
        by_name("new@example.com"),
        by_id(user(70)),
        by_name("never@example.com"),
        by_name("renamed@example.com"),
    ];
    let request = NewBatch {
        users: Users::Listed(listed.into_iter().map(|user| (user, 0)).collect()),
        ..fixture.request(1, &[], assign(&[OFFICE]))
    };
    let (batch, letters) = do_all(&fixture, &request).await;
    let mut sorted: Vec<char> = letters.chars().collect();
    sorted.sort_unstable();
    assert_eq!(sorted, ['A', 'F', 'F', 'F', 'F']);

    let Fixture { rows, .. } = &fixture;
    for (number, name) in [(71, "new@example.com"), (70, "seventy@example.com")] {
        let created = rows.create_user(new_user(number, name), &BY, NOW);
        created.await.expect("created");
    }
    let (retry, letters) = do_all(&fixture, &retrying(&fixture, 2, &batch, false)).await;
    assert_eq!(
        (retry.applied_count, retry.failed_count),
        (2, 2),
        "{letters}"
    );
    let order = fixture.chunk(&retry, 0).await.order;
    let name = |index| {
        let mut turns = order.turns.iter();
        turns
            .find(|turn| turn.index == index)
            .expect("a turn")
            .name
            .clone()
    };
    let names = [
        "new@example.com",
        "seventy@example.com",
        "never@example.com",
    ];
    assert_eq!([0, 1, 2].map(name), names);
}

pub(super) async fn a_retry_can_include_those_who_were_skipped(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 300).await;
    let mut users = fixture.create_users(1..=99).await;
    users.insert(80, user(1_000));
    for (number, terms, failed, skipped) in
        [(1, Terms::StopAfter(1), 1, 19), (11, Terms::Atomic, 1, 99)]
    {
        let request = NewBatch {
            terms,
            ..fixture.request(number, &users, assign(&[OFFICE]))
        };
        let (batch, _) = do_all(&fixture, &request).await;
        assert_eq!((batch.failed_count, batch.skipped_count), (failed, skipped));
        let (one, _) = do_all(&fixture, &retrying(&fixture, number + 1, &batch, false)).await;
        assert_eq!((one.user_count, one.failed_count), (failed, failed));
        let (all, _) = do_all(&fixture, &retrying(&fixture, number + 2, &batch, true)).await;
        assert_eq!(
            (all.user_count, all.applied_count),
            (failed + skipped, skipped)
        );
        assert_eq!(fixture.batch(&batch).await.retried_by(), Some(all.batch_id));
        fixture.run(number + 3, &users, revoke(&[OFFICE])).await;
    }
}

pub(super) async fn a_batch_that_runs_is_neither_reverted_nor_retried(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 100).await;
    let users = fixture.create_users(1..=100).await;
    let batch = fixture.request(1, &users, assign(&[OFFICE]));
    let batch = fixture.accept(&batch).await;
    fixture.write(fixture.chunk(&batch, 0).await).await;
    let requests = |batch: &Batch| {
        [
            reverting(&fixture, 2, batch, false),
            retrying(&fixture, 3, batch, true),
        ]
    };
    for request in requests(&batch) {
        let refused = raw::refusal(&fixture.store, fixture.try_accept(&request)).await;
        assert_eq!(refused, Refusal::BatchRunning(batch.batch_id));
    }
    fixture.write(fixture.chunk(&batch, 64).await).await;

    // Not there, or another customer's.
    let mut strange = batch.clone();
    strange.batch_id = BatchId(Uuid::from_u128(99));
    let (other, name) = (customer(2), super::fixture::display("Other"));
    let created = fixture.store.create_customer(other, &name, &BY, NOW).await;
    created.expect("created");
    let elsewhere = fixture.of(other);
    for (fixture, batch) in [(&fixture, &strange), (&elsewhere, &batch)] {
        for request in [
            reverting(fixture, 4, batch, false),
            retrying(fixture, 5, batch, false),
        ] {
            let refused = raw::refusal(&fixture.store, fixture.try_accept(&request)).await;
            assert!(matches!(
                refused,
                Refusal::NotFound {
                    resource: "batch",
                    ..
                }
            ));
        }
    }
}

pub(super) async fn a_batch_of_nobody_has_ended(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 1).await;
    let users = fixture.create_users(1..=1).await;
    let (batch, _) = do_all(&fixture, &fixture.request(1, &users, revoke(&[OFFICE]))).await;
    for request in [
        reverting(&fixture, 2, &batch, false),
        retrying(&fixture, 3, &batch, true),
    ] {
        let accepted = fixture.accept(&request).await;
        assert_eq!((accepted.user_count, accepted.has_ended()), (0, true));
        assert_eq!(accepted.ended_at, Some(NOW));
    }
    let running = fixture
        .store
        .abandoned_batches(super::fixture::later(1_000), 9);
    assert_eq!(running.await.expect("batches"), []);
}
