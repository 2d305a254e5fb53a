//! Guards: a batch that takes away more than may be taken unasked has to be confirmed.

use super::engine::Fresh;
use super::fixture::{BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign, revoke};
use super::raw;
use crate::domain::{Change, Guard, Losses, Record, Replace, Terms, UserId, UserRef};
use crate::store::{CustomerUpdate, NewBatch, Refusal, Unconfirmed, Users};

async fn set(fixture: &Fixture, users: Option<u32>, percent: Option<u32>) -> Guard {
    let guard = Guard { users, percent };
    let update = CustomerUpdate {
        guard: Some(guard),
        ..CustomerUpdate::default()
    };
    let updated = fixture.rows.update_customer(&update, None, &BY, NOW).await;
    assert_eq!(updated.expect("updated").guard(), guard);
    guard
}

/// A hundred users who hold OFFICE, of whom the first forty hold BASIC.
async fn holders(fresh: Fresh) -> (Fixture, Vec<UserId>) {
    let fixture = fresh.fixture().await;
    for product in [OFFICE, BASIC, PREMIUM] {
        fixture.enable_seats(product, 200).await;
    }
    let users = fixture.create_users(1..=100).await;
    fixture.run(1, &users, assign(&[OFFICE])).await;
    fixture.run(2, &users[..40], assign(&[BASIC])).await;
    (fixture, users)
}

async fn unconfirmed(fixture: &Fixture, request: &NewBatch) -> Unconfirmed {
    match raw::refusal(&fixture.store, fixture.try_accept(request)).await {
        Refusal::Unconfirmed(unconfirmed) => *unconfirmed,
        other => panic!("refused for something else: {other:?}"),
    }
}

pub(super) async fn a_batch_that_takes_too_much_has_to_be_confirmed(fresh: Fresh) {
    let (fixture, users) = holders(fresh).await;
    let guard = set(&fixture, Some(9), None).await;
    assert_eq!(
        fixture.run(3, &users[..9], revoke(&[OFFICE])).await,
        "A".repeat(9)
    );
    // Whoever loses nothing does not count.
    let ten = fixture.request(4, &users[9..19], revoke(&[OFFICE]));
    let expected = Unconfirmed {
        losses: Losses {
            users: 10,
            products: [(OFFICE, (10, 91))].into(),
        },
        guard,
    };
    assert_eq!(unconfirmed(&fixture, &ten).await, expected);
    let confirm = |losses: &Losses| NewBatch {
        confirmed: Some(losses.digest()),
        ..fixture.request(4, &users[9..19], revoke(&[OFFICE]))
    };
    let mut other = expected.losses.clone();
    other.users += 1;
    assert_eq!(unconfirmed(&fixture, &confirm(&other)).await, expected);
    let batch = fixture.accept(&confirm(&expected.losses)).await;
    let records = fixture.chain().await.records;
    let accepted = records.last().expect("a record").decode();
    let accepted = accepted.expect("it was accepted");
    let Record::BatchAccepted(_, counts, _) = accepted else {
        panic!("{accepted:?}");
    };
    assert_eq!(
        counts,
        [10, 10],
        "users, and those whose loss was confirmed"
    );
    assert_eq!(fixture.work(&batch).await, "A".repeat(10));

    // Of those who hold it: 20 of 80 are more than 24 percent, and not more than 25.
    assert_eq!(fixture.run(5, &users[19..20], revoke(&[OFFICE])).await, "A");
    let twenty = fixture.request(6, &users[10..40], revoke(&[OFFICE]));
    set(&fixture, None, Some(24)).await;
    let lost = unconfirmed(&fixture, &twenty).await.losses;
    assert_eq!((lost.users, lost.products[&OFFICE]), (20, (20, 80)));
    set(&fixture, None, Some(25)).await;
    let batch = fixture.accept(&twenty).await;
    assert_eq!(fixture.work(&batch).await, "U".repeat(10) + &"A".repeat(20));
}

pub(super) async fn a_guard_counts_what_is_lost_by_whatever_change(fresh: Fresh) {
    let (fixture, users) = holders(fresh).await;
    set(&fixture, Some(0), Some(0)).await;
    let replaced = Change {
        replace: vec![Replace {
            product: BASIC,
            by: PREMIUM,
            plans: None,
        }],
        ..Change::default()
    };
    let others = Change {
        revoke_others: Some(vec![OFFICE]),
        ..Change::default()
    };
    for (change, basic) in [(replaced, 40), (others, 40), (revoke(&[BASIC]), 40)] {
        let request = fixture.request(3, &users, change);
        let losses = unconfirmed(&fixture, &request).await.losses;
        let expected = Losses {
            users: basic,
            products: [(BASIC, (basic, 40))].into(),
        };
        assert_eq!(losses, expected);
    }
    // What gives only is not asked about.
    assert_eq!(
        fixture.run(5, &users[40..], assign(&[PREMIUM])).await,
        "A".repeat(60)
    );
}

pub(super) async fn what_a_batch_gives_first_does_not_hide_what_it_takes(fresh: Fresh) {
    let (fixture, users) = holders(fresh).await;
    set(&fixture, None, Some(50)).await;
    // Those without BASIC get it in the first chunk; all who hold it lose it in the chunk after.
    let (old, new) = users.split_at(40);
    let mut filling = new.to_vec();
    filling.extend(fixture.create_users(101..=110).await);
    let given = filling.iter().map(|user| (UserRef::Id(*user), 0));
    let taken = old.iter().map(|user| (UserRef::Id(*user), 1));
    let request = NewBatch {
        changes: vec![assign(&[BASIC]), revoke(&[BASIC])],
        users: Users::Listed(given.chain(taken).collect()),
        // In the order of the request.
        terms: Terms::StopAfter(1_000),
        ..fixture.request(3, &users, revoke(&[BASIC]))
    };
    let losses = unconfirmed(&fixture, &request).await.losses;
    assert_eq!((losses.users, losses.products[&BASIC]), (40, (40, 40)));
}
