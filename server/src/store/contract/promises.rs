//! Promises 2 and 3: what holds when many write to one customer at once.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::{JoinHandle, JoinSet};

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign, by_id, display, principal, revoke, user,
};
use super::overlap::{self, Overlap};
use super::raw::{self, Totals};
use crate::domain::{Change, Place, Snapshot, UserId};
use crate::store::{AssignmentFilter, Chunk, Decide, ImportUser, SeatsUpdate, UserUpdate, Written};

/// Accepts a request and does all of it, counting each call as under way.
async fn work(fixture: &Fixture, overlap: &Overlap, number: u8, users: &[UserId], change: Change) {
    let request = fixture.request(number, users, change);
    let batch = overlap.during(fixture.accept(&request)).await;
    let mut position = 0;
    while position < batch.user_count {
        let chunk = fixture.chunk(&batch, position).await;
        position += chunk.order.turns.len() as i64;
        overlap.during(fixture.write(chunk)).await;
    }
    assert!(fixture.batch(&batch).await.has_ended());
}

/// Looks at the whole database again and again until the calls have ended. Gives how many looks
/// fell between two moments with calls under way.
fn watch(
    fixture: &Fixture,
    overlap: &Arc<Overlap>,
    look: impl Fn(Totals) + Send + 'static,
) -> (JoinHandle<usize>, Arc<Barrier>) {
    let (store, overlap) = (fixture.store.clone(), overlap.clone());
    let end = Arc::new(Barrier::new(2));
    let mut ended = Box::pin({
        let end = end.clone();
        async move { end.wait().await }
    });
    let watch = tokio::spawn(async move {
        let mut looks = 0;
        loop {
            let before = overlap.now();
            tokio::select! {
                biased;
                _ = &mut ended => return looks,
                totals = raw::totals(&store) => look(totals),
            }
            looks += usize::from(before > 0 && overlap.now() > 0);
        }
    });
    (watch, end)
}

/// What holds at every moment, whoever is writing.
fn assert_consistent(totals: Totals) {
    assert_eq!(totals.assigned, totals.assignments, "{totals:?}");
    assert!(totals.assigned <= totals.assignable, "{totals:?}");
    assert_eq!(
        totals.changes, totals.last_seq,
        "a change is missing: {totals:?}"
    );
    assert_eq!(totals.changes, totals.change_seq, "{totals:?}");
    assert_eq!(totals.results, totals.next_position, "{totals:?}");
}

pub(super) async fn concurrent_batches_take_every_seat_and_not_one_more(fresh: Fresh) {
    const SEATS: i64 = 300;
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, SEATS).await;
    let users = fixture.create_users(1..=800).await;
    let overlap = Arc::new(Overlap::default());
    let (watch, end) = watch(&fixture, &overlap, |totals| {
        assert_consistent(totals);
        assert_eq!(
            totals.assigned, totals.applied,
            "each success is a seat: {totals:?}"
        );
    });

    let start = Arc::new(Barrier::new(8));
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let server = fixture.on_another_server().await;
        // Every user is in two batches.
        let mut mine = users.clone();
        mine.rotate_left(task * 100);
        mine.truncate(200);
        let (overlap, start) = (overlap.clone(), start.clone());
        tasks.spawn(async move {
            start.wait().await;
            work(&server, &overlap, task as u8 + 1, &mine, assign(&[OFFICE])).await;
        });
    }
    tasks.join_all().await;
    end.wait().await;
    let looks = watch.await.expect("consistent at every look");
    overlap.assert_happened();
    assert!(
        looks > 2,
        "{looks} looks while calls were under way: this shows nothing"
    );

    let totals = raw::totals(&fixture.store).await;
    assert_eq!(
        (totals.assigned, totals.assignments, totals.applied),
        (SEATS, SEATS, SEATS)
    );
    assert_eq!(totals.next_position, 1_600);
    assert_consistent(totals);
}

pub(super) async fn products_that_exclude_each_other_never_meet_at_one_user(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=564).await;
    for product in [BASIC, PREMIUM] {
        fixture.enable_seats(product, 1_000).await;
    }
    let overlap = Arc::new(Overlap::default());
    let (watch, end) = watch(&fixture, &overlap, assert_consistent);
    // Both begin each chunk, which is about the same users, at the same moment.
    let start = Arc::new(Barrier::new(2));
    let mut tasks = JoinSet::new();
    for (number, product) in [(1, BASIC), (2, PREMIUM)] {
        let server = fixture.on_another_server().await;
        let batch = fixture
            .accept(&fixture.request(number, &users, assign(&[product])))
            .await;
        let (overlap, start) = (overlap.clone(), start.clone());
        tasks.spawn(async move {
            for position in [0, 64] {
                let chunk = server.chunk(&batch, position).await;
                start.wait().await;
                overlap.during(server.write(chunk)).await;
            }
            server.batch(&batch).await
        });
    }
    let batches = tasks.join_all().await;
    end.wait().await;
    watch.await.expect("consistent at every look");
    overlap.assert_happened();

    let assignments = fixture
        .rows
        .assignments(AssignmentFilter::default(), &Place::First, i64::MAX)
        .await;
    let mut held: HashMap<UserId, usize> = HashMap::new();
    for assignment in assignments.expect("assignments") {
        *held.entry(assignment.user).or_default() += 1;
    }
    let both = held.values().filter(|count| **count != 1).count();
    assert_eq!(
        (both, held.len()),
        (0, 564),
        "users with both, users with one"
    );
    assert_eq!(
        batches.iter().map(|batch| batch.applied_count).sum::<i64>(),
        564
    );
    assert_eq!(
        batches.iter().map(|batch| batch.failed_count).sum::<i64>(),
        564
    );
}

pub(super) async fn decisions_about_one_customer_are_made_one_at_a_time(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=4).await;
    fixture.enable_seats(OFFICE, 2).await;
    let (calls, decisions) = (Arc::new(Overlap::default()), Arc::new(Overlap::default()));
    let start = Arc::new(Barrier::new(4));
    let mut tasks = JoinSet::new();
    for (number, user) in (1..).zip(users) {
        let server = fixture.on_another_server().await;
        let batch = server
            .accept(&server.request(number, &[user], assign(&[OFFICE])))
            .await;
        let chunk: Arc<Chunk> = Arc::new(server.chunk(&batch, 0).await);
        // Long enough for the others to get as far, if nothing stops them.
        let (inner, _) = overlap::slow(server.decision(&chunk), overlap::pause(100));
        let (calls, decisions, start) = (calls.clone(), decisions.clone(), start.clone());
        tasks.spawn(async move {
            let decide: Decide = Arc::new(move |snapshot: &Snapshot| {
                decisions.begin();
                let decision = inner(snapshot);
                decisions.end();
                decision
            });
            start.wait().await;
            let written = calls.during(server.rows.write_chunk(chunk, decide)).await;
            assert!(matches!(written.expect("written"), Written::Done(_)));
            server.results(&batch, 0).await[0].bytes.clone()
        });
    }
    let mut results = tasks.join_all().await.concat();
    results.sort_unstable();
    calls.assert_happened();
    assert_eq!(decisions.most(), 1, "decisions at once");
    assert_eq!(results, b"AAFF", "each knows what those before it left");
}

/// Promise 2: replayed in the order of their numbers, the changes are one history in which each
/// knows what the one before it left.
pub(super) async fn all_kinds_of_writes_at_once_make_one_history(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=150).await;
    for product in [OFFICE, BASIC, PREMIUM] {
        fixture.enable_seats(product, 60).await;
    }
    let overlap = Arc::new(Overlap::default());
    let (watch, end) = watch(&fixture, &overlap, assert_consistent);
    let start = Arc::new(Barrier::new(9));
    let mut tasks = JoinSet::new();
    let changes = [
        assign(&[OFFICE, BASIC]),
        assign(&[OFFICE, PREMIUM]),
        revoke(&[OFFICE, BASIC, PREMIUM]),
        Change {
            revoke: vec![BASIC],
            ..assign(&[PREMIUM])
        },
        Change {
            revoke: vec![PREMIUM],
            ..assign(&[BASIC])
        },
        revoke(&[OFFICE]),
    ];
    for (change, number) in changes.into_iter().zip((1..).step_by(10)) {
        let (server, users) = (fixture.on_another_server().await, users.clone());
        let (overlap, start) = (overlap.clone(), start.clone());
        tasks.spawn(async move {
            start.wait().await;
            for number in number..number + 3 {
                work(&server, &overlap, number, &users, change.clone()).await;
            }
        });
    }
    for kind in [Single::Seats, Single::Deletions, Single::Imports] {
        let server = fixture.on_another_server().await;
        let (overlap, start) = (overlap.clone(), start.clone());
        tasks.spawn(async move {
            start.wait().await;
            for step in 1..=20 {
                overlap.during(single(&server, kind, step)).await;
            }
        });
    }
    tasks.join_all().await;
    end.wait().await;
    watch.await.expect("consistent at every look");
    overlap.assert_happened();
    assert_consistent(raw::totals(&fixture.store).await);
    assert_history(&fixture).await;
}

#[derive(Clone, Copy)]
enum Single {
    Seats,
    Deletions,
    Imports,
}

async fn single(server: &Fixture, kind: Single, step: i64) {
    let Fixture { rows, .. } = server;
    match kind {
        Single::Seats => {
            let update = SeatsUpdate {
                enabled: Some(60 + step),
                ..SeatsUpdate::default()
            };
            rows.set_seats(OFFICE, update, &BY, NOW)
                .await
                .expect("more seats");
        }
        Single::Deletions => {
            let user = by_id(user(step as u128 * 7));
            rows.delete_user(&user, None, &BY, NOW)
                .await
                .expect("deleted");
        }
        Single::Imports => {
            let values = UserUpdate {
                principal_name: Some(principal(&format!("more{step}@x"))),
                display_name: Some(display("More")),
                ..UserUpdate::default()
            };
            let part = vec![ImportUser {
                id: None,
                new_id: user(1_000 + step as u128),
                values,
            }];
            rows.import_users(part, &BY, NOW).await.expect("imported");
        }
    }
}

async fn assert_history(fixture: &Fixture) {
    let mut state = HashMap::new();
    let changes = raw::changes(fixture).await;
    for change in &changes {
        for edit in &change.edits {
            let key = (change.user, edit.product);
            let before = match edit.after {
                Some(after) => state.insert(key, after),
                None => state.remove(&key),
            };
            assert_eq!(
                before, edit.before,
                "{change:?} does not follow from those before it"
            );
        }
    }
    let assignments = fixture
        .rows
        .assignments(AssignmentFilter::default(), &Place::First, i64::MAX)
        .await;
    let mut left: Vec<_> = assignments
        .expect("assignments")
        .iter()
        .map(|one| (one.user, one.product))
        .collect();
    let mut expected: Vec<_> = state.into_keys().collect();
    left.sort_unstable();
    expected.sort_unstable();
    assert_eq!(left, expected, "what the changes leave is what is there");
    assert!(
        changes.len() > 100,
        "{} changes: this shows little",
        changes.len()
    );
}
