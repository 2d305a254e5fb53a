//! Licenses and their seats.

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign, customer, display, later, product, revoke, scope,
};
use super::raw;
use crate::domain::Seats;
use crate::store::{License, Refusal, SeatsUpdate};

fn enabled(enabled: i64) -> SeatsUpdate {
    SeatsUpdate {
        enabled: Some(enabled),
        ..SeatsUpdate::default()
    }
}

fn not_found(resource: &'static str, id: impl ToString) -> Refusal {
    Refusal::NotFound {
        resource,
        id: id.to_string(),
    }
}

/// Enabled, warning, suspended; nothing assigned.
fn seats((enabled, warning, suspended): (i64, i64, i64)) -> Seats {
    let assigned = 0;
    Seats {
        enabled,
        warning,
        suspended,
        assigned,
    }
}

pub(super) async fn a_license_is_created_and_its_seats_are_set(fresh: Fresh) {
    let Fixture { rows, .. } = fresh.fixture().await;
    let mut expected = License {
        product: OFFICE,
        display_name: "Office".to_owned(),
        string_id: "OFFICE".to_owned(),
        seats: Seats::default(),
        later_plans: None,
        version: 0,
        updated_at: NOW,
    };
    let steps = [
        ((Some(5), Some(2), Some(1)), (5, 2, 1)),
        ((Some(9), None, None), (9, 2, 1)),
        ((Some(3), None, None), (3, 2, 1)),
        ((None, Some(0), None), (3, 0, 1)),
        ((None, None, Some(4)), (3, 0, 4)),
    ];
    for (((enabled, warning, suspended), after), version) in steps.into_iter().zip(1..) {
        let read = Some(expected.version);
        let update = SeatsUpdate {
            enabled,
            warning,
            suspended,
            confirmed: None,
            version: read,
        };
        let set = rows.set_seats(OFFICE, update, &BY, later(version)).await;
        let updated_at = later(version);
        expected = License {
            seats: seats(after),
            version,
            updated_at,
            ..expected
        };
        assert_eq!(set.expect("set"), expected);
        let found = rows.license(OFFICE).await;
        assert_eq!(found.expect("found"), expected);
    }
    // A license without any seat is one, too.
    let empty = rows
        .set_seats(BASIC, SeatsUpdate::default(), &BY, NOW)
        .await;
    assert_eq!(empty.expect("created").seats, seats((0, 0, 0)));
    let found = rows.license(BASIC).await;
    assert_eq!(found.expect("found").version, 1);
}

pub(super) async fn seats_that_are_so_already_move_no_version(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { rows, .. } = &fixture;
    let license = fixture.enable_seats(OFFICE, 5).await;
    for update in [
        enabled(5),
        SeatsUpdate::default(),
        SeatsUpdate {
            version: Some(1),
            ..enabled(5)
        },
    ] {
        let set = rows.set_seats(OFFICE, update, &BY, later(9)).await;
        assert_eq!(set.expect("unchanged"), license);
        assert_eq!(rows.license(OFFICE).await.expect("found"), license);
    }
    // Assigning seats is no change of the license itself.
    let users = fixture.create_users(1..=2).await;
    assert_eq!(fixture.run(1, &users, assign(&[OFFICE])).await, "AA");
    let now = rows.license(OFFICE).await.expect("found");
    assert_eq!(
        now,
        License {
            seats: Seats {
                assigned: 2,
                ..license.seats
            },
            ..license
        }
    );
}

/// Enabled seats and seats in grace, and the numbers that were confirmed.
fn both(seats: i64, warning: i64, confirmed: Option<[i64; 2]>) -> SeatsUpdate {
    SeatsUpdate {
        warning: Some(warning),
        confirmed,
        ..enabled(seats)
    }
}

pub(super) async fn seats_below_those_assigned_are_confirmed_first(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { store, rows, .. } = &fixture;
    let set = |update| rows.set_seats(OFFICE, update, &BY, NOW);
    set(both(2, 1, None)).await.expect("set");
    let users = fixture.create_users(1..=4).await;
    assert_eq!(fixture.run(1, &users, assign(&[OFFICE])).await, "AAAF");

    for (update, assignable) in [
        (enabled(1), 2),
        (both(0, 0, None), 0),
        // Other numbers were confirmed.
        (both(1, 0, Some([3, 2])), 1),
        (both(1, 0, Some([2, 1])), 1),
    ] {
        let expected = Refusal::SeatsBelowAssigned {
            product: OFFICE,
            assigned: 3,
            assignable,
        };
        assert_eq!(raw::refusal(store, set(update)).await, expected);
    }
    // Seats may move between kinds: only their sum is assigned.
    set(both(1, 2, None)).await.expect("three still");
    let cut = set(both(1, 0, Some([3, 1]))).await.expect("confirmed");
    assert_eq!((cut.seats.available(), cut.seats.assigned), (-2, 3));
    // More seats are not asked about, though there are still too few.
    let more = set(enabled(2)).await.expect("more");
    assert_eq!(more.seats.available(), -1);

    // Nobody lost a seat, a revoke frees one, and new ones wait until there is room.
    assert_eq!(fixture.run(2, &users, assign(&[OFFICE])).await, "UUUF");
    assert_eq!(fixture.run(3, &users[..1], revoke(&[OFFICE])).await, "A");
    assert_eq!(fixture.run(4, &users[3..], assign(&[OFFICE])).await, "F");
    assert_eq!(fixture.run(5, &users[1..2], revoke(&[OFFICE])).await, "A");
    assert_eq!(fixture.run(6, &users[3..], assign(&[OFFICE])).await, "A");
    assert_eq!(fixture.assigned(OFFICE).await, 2);
}

pub(super) async fn a_license_at_another_version_is_left_alone(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { store, rows, .. } = &fixture;
    let stale = |version| SeatsUpdate {
        version: Some(version),
        ..enabled(7)
    };
    let mismatch = |product: crate::domain::ProductId, version| Refusal::VersionMismatch {
        resource: "license",
        id: product.to_string(),
        version,
    };
    // Before there is one, the version is 0.
    let set = rows.set_seats(OFFICE, stale(1), &BY, NOW);
    assert_eq!(raw::refusal(store, set).await, mismatch(OFFICE, 0));
    rows.set_seats(OFFICE, stale(0), &BY, NOW)
        .await
        .expect("created");
    for version in [0, 2] {
        let set = rows.set_seats(OFFICE, stale(version), &BY, NOW);
        assert_eq!(raw::refusal(store, set).await, mismatch(OFFICE, 1));
    }
}

pub(super) async fn a_license_that_is_not_there_is_not_found(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { store, rows, .. } = &fixture;
    let other = customer(2);
    store
        .create_customer(other, &display("Fabrikam"), &BY, NOW)
        .await
        .expect("created");
    store
        .of(scope(other))
        .set_seats(OFFICE, enabled(5), &BY, NOW)
        .await
        .expect("set");
    let found = raw::refusal(store, rows.license(OFFICE)).await;
    assert_eq!(found, not_found("license", OFFICE));
    let unknown = product(99);
    let set = rows.set_seats(unknown, enabled(1), &BY, NOW);
    assert_eq!(
        raw::refusal(store, set).await,
        not_found("product", unknown)
    );
    let nowhere = customer(3);
    let there = store.of(scope(nowhere));
    let set = there.set_seats(OFFICE, enabled(1), &BY, NOW);
    assert_eq!(
        raw::refusal(store, set).await,
        not_found("customer", nowhere)
    );
    let found = raw::refusal(store, store.of(scope(nowhere)).license(OFFICE)).await;
    assert_eq!(found, not_found("customer", nowhere));
}
