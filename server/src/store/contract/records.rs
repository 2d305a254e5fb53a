//! What chunks leave to be read: changes and results.

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, OFFICE, assign, by_id, revoke, user};
use super::raw;
use crate::domain::{ChoiceId, Edit};

pub(super) async fn changes_are_numbered_without_a_gap_and_say_what_changed(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 70).await;
    let users = fixture.create_users(1..=100).await;
    let request = fixture.request(1, &users, assign(&[OFFICE]));
    let one = fixture.accept(&request).await;
    let other = fixture
        .accept(&fixture.request(2, &users[..10], revoke(&[OFFICE])))
        .await;
    // Two batches and a deletion take turns.
    fixture.write(fixture.chunk(&one, 0).await).await;
    assert_eq!(fixture.work(&other).await, "A".repeat(10));
    let Fixture { store, rows, .. } = &fixture;
    rows.delete_user(&by_id(user(20)), None, &BY, NOW)
        .await
        .expect("deleted");
    fixture.write(fixture.chunk(&one, 64).await).await;

    let changes = raw::changes(&fixture).await;
    // 64 at first, then ten and one, whose seats and six more go to 17.
    assert_eq!(changes.len(), 64 + 10 + 1 + 17);
    let totals = raw::totals(store).await;
    assert_eq!(
        (totals.changes, totals.last_seq),
        (totals.change_seq, totals.change_seq)
    );
    let all = Some(ChoiceId::ALL);
    let given = |id| {
        (
            id,
            Some(one.batch_id),
            vec![Edit {
                product: OFFICE,
                before: None,
                after: all,
            }],
        )
    };
    let taken = |id, batch| {
        (
            id,
            batch,
            vec![Edit {
                product: OFFICE,
                before: all,
                after: None,
            }],
        )
    };
    let expected: Vec<_> = users[..64]
        .iter()
        .map(|id| given(*id))
        .chain(
            users[..10]
                .iter()
                .map(|id| taken(*id, Some(other.batch_id))),
        )
        .chain([taken(user(20), None)])
        .chain(users[64..81].iter().map(|id| given(*id)))
        .collect();
    let changes: Vec<_> = changes
        .into_iter()
        .map(|row| (row.user, row.batch, row.edits))
        .collect();
    assert_eq!(changes, expected);
    assert_eq!(fixture.assigned(OFFICE).await, 70);
}

pub(super) async fn results_are_read_from_any_position(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=600).await;
    fixture.enable_seats(OFFICE, 600).await;
    let batch = fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    let other = fixture
        .accept(&fixture.request(2, &users[..1], revoke(&[OFFICE])))
        .await;
    let at = async |position| -> Vec<(i64, i64)> {
        let results = fixture.results(&batch, position).await;
        results
            .iter()
            .map(|results| (results.first_position, results.count))
            .collect()
    };
    assert_eq!(at(0).await, []);
    let mut done = Vec::new();
    for position in [0, 64, 564] {
        fixture.write(fixture.chunk(&batch, position).await).await;
        done.push(position);
        assert_eq!(at(0).await.len(), done.len(), "as far as it is done");
    }
    assert_eq!(fixture.work(&other).await, "A");
    let all = [(0, 64), (64, 500), (564, 36)];
    for (position, skipped) in [
        (0, 0),
        (1, 0),
        (63, 0),
        (64, 1),
        (65, 1),
        (563, 1),
        (564, 2),
        (599, 2),
        (600, 3),
        (9_999, 3),
    ] {
        assert_eq!(at(position).await, all[skipped..], "from {position}");
    }
    let Fixture { rows, .. } = &fixture;
    let first = rows.batch_results(batch.batch_id, 10, 2).await;
    let first: Vec<_> = first
        .expect("results")
        .iter()
        .map(|one| one.first_position)
        .collect();
    assert_eq!(first, [0, 64], "as many chunks as asked for");
    for (position, expected) in [(0, 0), (63, 0), (64, 64), (563, 64), (564, 564), (599, 564)] {
        let one = rows.batch_results(batch.batch_id, position, 1).await;
        let one = one.expect("results");
        assert_eq!(
            (one.len(), one[0].first_position),
            (1, expected),
            "at {position}"
        );
    }
}
