//! Acceptance of batches.

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign, by_id, by_name, customer, display, later, name_of,
    new_user, principal, revoke, scope, user,
};
use super::raw;
use crate::domain::{BatchId, Change, Order, RequestId, UserRef};
use crate::store::{Accepted, Batch, NewBatch, Refusal, Users};

/// The chunks of a batch: the position and the turns of each.
async fn chunks(fixture: &Fixture, batch: &Batch) -> Vec<(i64, Order)> {
    let (mut chunks, mut position) = (Vec::new(), 0);
    while position < batch.user_count {
        let order = fixture.chunk(batch, position).await.order;
        let next = position + order.turns.len() as i64;
        assert!(next > position, "an empty chunk at {position}");
        chunks.push((position, order));
        position = next;
    }
    chunks
}

/// The places in the request, in the order of service.
async fn service_order(fixture: &Fixture, request: &NewBatch) -> Vec<u32> {
    let batch = fixture.accept(request).await;
    let chunks = chunks(fixture, &batch).await;
    chunks
        .iter()
        .flat_map(|(_, order)| &order.turns)
        .map(|turn| turn.index)
        .collect()
}

pub(super) async fn an_accepted_batch_is_stored_before_the_answer(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=3).await;
    let request = fixture.request(1, &users, assign(&[OFFICE]));
    let batch = fixture.accept(&request).await;
    assert_eq!(
        (batch.customer_id, batch.batch_id),
        (fixture.customer, request.id)
    );
    assert_eq!((batch.request_id, batch.user_count), (request.request, 3));
    assert_eq!(
        (batch.created_at, batch.ended_at, batch.has_ended()),
        (NOW, None, false)
    );
    assert_eq!((batch.next_position, batch.applied_count), (0, 0));
    assert_eq!((batch.unchanged_count, batch.failed_count), (0, 0));
    assert_eq!(fixture.batch(&batch).await, batch);
    assert_eq!(fixture.results(&batch, 0).await, []);
    let before = raw::totals(&fixture.store).await;
    assert_eq!(before.assignments, 0, "nothing is done at acceptance");
    assert_eq!(raw::changes(&fixture).await, []);
    let order = fixture.chunk(&batch, 0).await.order;
    assert_eq!(order.changes, [assign(&[OFFICE])]);
    let turns: Vec<_> = order
        .turns
        .iter()
        .map(|t| (t.index, t.user, t.name.as_str()))
        .collect();
    let name = [name_of(1), name_of(2), name_of(3)];
    let expected: Vec<_> = (0..3)
        .map(|i| (i as u32, Some(users[i]), name[i].as_str()))
        .collect();
    assert_eq!(turns, expected);
}

pub(super) async fn the_same_request_is_accepted_once(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    let users = fixture.create_users(1..=2).await;
    let request = fixture.request(1, &users, assign(&[OFFICE]));
    let batch = fixture.accept(&request).await;
    let again = NewBatch {
        id: BatchId(uuid::Uuid::from_u128(99)),
        now: later(60),
        lease_expires_at: later(90),
        ..fixture.request(1, &users, assign(&[OFFICE]))
    };
    for state in ["running", "ended"] {
        let before = raw::contents(&fixture.store).await;
        match fixture.try_accept(&again).await.expect("found") {
            Accepted::Before(found) => assert_eq!(found, fixture.batch(&batch).await, "{state}"),
            other => panic!("accepted twice while {state}: {other:?}"),
        }
        assert_eq!(raw::contents(&fixture.store).await, before);
        if state == "running" {
            assert_eq!(fixture.work(&batch).await, "AA");
        }
    }
    // The next id is another request, although it asks for the same.
    let next = fixture
        .accept(&fixture.request(2, &users, assign(&[OFFICE])))
        .await;
    assert_eq!(fixture.work(&next).await, "UU");
}

pub(super) async fn a_request_is_not_refused_for_what_came_after_it(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=1).await;
    let accepted = fixture.request(1, &users, assign(&[OFFICE]));
    let batch = fixture.accept(&accepted).await;
    let refusal = Refusal::NotFound {
        resource: "plan",
        id: "retired meanwhile".to_owned(),
    };
    let refused = |number| NewBatch {
        unless_accepted: Some(refusal.clone()),
        ..fixture.request(number, &users, assign(&[OFFICE]))
    };
    match fixture.try_accept(&refused(1)).await.expect("found") {
        Accepted::Before(found) => assert_eq!(found, batch),
        other => panic!("accepted twice: {other:?}"),
    }
    let new = refused(2);
    let accept = fixture.try_accept(&new);
    assert_eq!(raw::refusal(&fixture.store, accept).await, refusal);
}

pub(super) async fn a_request_id_is_not_used_for_two_requests(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=2).await;
    fixture
        .accept(&fixture.request(1, &users, assign(&[OFFICE])))
        .await;
    let other = NewBatch {
        request: RequestId(uuid::Uuid::from_u128(1)),
        ..fixture.request(2, &users, assign(&[OFFICE]))
    };
    let accept = fixture.try_accept(&other);
    assert_eq!(
        raw::refusal(&fixture.store, accept).await,
        Refusal::RequestIdReused
    );

    // Another customer has request ids of its own.
    let there = customer(2);
    let store = &fixture.store;
    store
        .create_customer(there, &display("Fabrikam"), &BY, NOW)
        .await
        .expect("created");
    assert!(matches!(
        fixture
            .of(there)
            .try_accept(&other)
            .await
            .expect("accepted"),
        Accepted::New(_)
    ));
    // A customer that is not there has none.
    let nowhere = customer(3);
    let expected = Refusal::NotFound {
        resource: "customer",
        id: nowhere.to_string(),
    };
    assert_eq!(
        raw::refusal(store, fixture.of(nowhere).try_accept(&other)).await,
        expected
    );
}

pub(super) async fn a_user_that_is_named_twice_is_refused_in_every_spelling(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let store = &fixture.store;
    fixture.create_users(1..=3).await;
    let new = new_user(4, "straße@x.de");
    fixture
        .rows
        .create_user(new, &BY, NOW)
        .await
        .expect("created");
    let name = name_of(2);
    let twice = [
        (by_id(user(2)), by_id(user(2))),
        (by_id(user(2)), by_name(&name)),
        (by_name(&name), by_id(user(2))),
        (by_name(&name), by_name(&name.to_uppercase())),
        (by_name("STRASSE@X.de"), by_name("straße@x.DE")),
        (by_id(user(4)), by_name("STRASSE@x.de")),
    ];
    for (number, (one, other)) in (1..).zip(twice) {
        let users = [by_id(user(1)), one.clone(), by_id(user(3)), other.clone()];
        let users = users.map(|user| (user, 0)).to_vec();
        let request = NewBatch {
            users: Users::Listed(users),
            ..fixture.request(number, &[], assign(&[OFFICE]))
        };
        let refusal = raw::refusal(store, fixture.try_accept(&request)).await;
        let expected = Refusal::DuplicateUser {
            first: 1,
            second: 3,
        };
        assert_eq!(refusal, expected, "{one:?} and {other:?}");
        // A refused request does not use its id up.
        let request = fixture.request(number, &[user(1)], assign(&[OFFICE]));
        fixture.accept(&request).await;
    }
}

pub(super) async fn users_that_are_not_there_get_a_turn_without_a_user(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let store = &fixture.store;
    fixture.enable_seats(OFFICE, 1).await;
    fixture.create_users(1..=3).await;
    fixture
        .rows
        .delete_user(&by_id(user(2)), None, &BY, NOW)
        .await
        .expect("deleted");
    let there = customer(2);
    store
        .create_customer(there, &display("Fabrikam"), &BY, NOW)
        .await
        .expect("created");
    let foreign = new_user(7, "foreign@x");
    store
        .of(scope(there))
        .create_user(foreign, &BY, NOW)
        .await
        .expect("created");

    let users = [
        by_name("nobody@x"),
        by_id(user(9)),
        by_id(user(3)),
        by_id(user(7)),
        by_name("foreign@x"),
        by_id(user(2)),
        by_name(&name_of(2)),
        by_name(&name_of(1).to_uppercase()),
    ];
    let users: Vec<_> = users.map(|user| (user, 0)).to_vec();
    let request = NewBatch {
        users: Users::Listed(users),
        ..fixture.request(1, &[], assign(&[OFFICE]))
    };
    let batch = fixture.accept(&request).await;
    let order = fixture.chunk(&batch, 0).await.order;
    let turns: Vec<_> = order
        .turns
        .into_iter()
        .map(|turn| (turn.index, turn.user, turn.name))
        .collect();
    let said = |text: &str| text.to_owned();
    let expected = [
        (0, None, said("nobody@x")),
        (1, None, user(9).to_string()),
        (2, Some(user(3)), name_of(3)),
        (3, None, user(7).to_string()),
        (4, None, said("foreign@x")),
        (5, None, user(2).to_string()),
        (6, None, name_of(2)),
        // Under its stored name, not as the request spelled it.
        (7, Some(user(1)), name_of(1)),
    ];
    assert_eq!(turns, expected);
    assert_eq!(
        fixture.work(&batch).await,
        "FFAFFFFF",
        "one seat, and one user before the other"
    );
}

pub(super) async fn service_is_by_id_when_seats_are_ample_else_as_requested(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users(1..=4).await;
    fixture.enable_seats(OFFICE, 4).await;
    fixture.enable_seats(BASIC, 3).await;
    let users = [4, 2, 3, 1].map(user);
    let by_id = [3, 1, 2, 0];
    let as_requested = [0, 1, 2, 3];
    let changes = [
        (assign(&[OFFICE]), by_id),
        (assign(&[OFFICE, BASIC]), as_requested),
        (assign(&[super::fixture::PREMIUM]), as_requested),
        (revoke(&[OFFICE, BASIC]), by_id),
    ];
    for ((change, expected), number) in changes.into_iter().zip(1..) {
        let request = fixture.request(number, &users, change.clone());
        assert_eq!(
            service_order(&fixture, &request).await,
            expected,
            "{change:?}"
        );
    }
    // Each license is counted for the changes that name it.
    let mut request = fixture.request(10, &users, assign(&[OFFICE]));
    request.changes.push(assign(&[BASIC]));
    let Users::Listed(listed) = &mut request.users else {
        unreachable!("requests list their users")
    };
    listed[0].1 = 1;
    assert_eq!(service_order(&fixture, &request).await, by_id);
    // Seats that are taken are not there: now three are free.
    assert_eq!(fixture.run(11, &users[..1], assign(&[OFFICE])).await, "A");
    let request = fixture.request(12, &users, assign(&[OFFICE]));
    assert_eq!(service_order(&fixture, &request).await, as_requested);
    let request = fixture.request(13, &users[1..], assign(&[OFFICE]));
    assert_eq!(service_order(&fixture, &request).await, [2, 0, 1]);
}

pub(super) async fn the_first_chunk_is_small_and_the_others_are_larger(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let users = fixture.create_users(1..=1_101).await;
    let cases: [(usize, &[usize]); 6] = [
        (1, &[1]),
        (64, &[64]),
        (65, &[64, 1]),
        (564, &[64, 500]),
        (565, &[64, 500, 1]),
        (1_101, &[64, 500, 500, 37]),
    ];
    for ((count, expected), number) in cases.into_iter().zip(1..) {
        let request = fixture.request(number, &users[..count], assign(&[OFFICE]));
        let batch = fixture.accept(&request).await;
        let chunks = chunks(&fixture, &batch).await;
        let sizes: Vec<_> = chunks.iter().map(|(_, order)| order.turns.len()).collect();
        assert_eq!(sizes, expected, "{count} users");
        let turns = chunks.iter().flat_map(|(_, order)| &order.turns);
        let served: Vec<_> = turns.map(|turn| turn.user.expect("known")).collect();
        assert_eq!(served, users[..count], "each user once and in order");
    }
}

pub(super) async fn every_user_can_have_a_change_of_its_own(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 50).await;
    let users = fixture.create_users(1..=100).await;
    assert_eq!(
        fixture.run(1, &users[..50], assign(&[OFFICE])).await,
        "A".repeat(50)
    );
    // Two changes by turns, and one that only users of the second chunk have.
    let mut request = fixture.request(2, &users, Change::default());
    request.changes = vec![revoke(&[OFFICE]), assign(&[OFFICE]), assign(&[BASIC])];
    let change_of = |index: usize| if index >= 90 { 2 } else { index % 2 };
    let Users::Listed(listed) = &mut request.users else {
        unreachable!("requests list their users")
    };
    for (index, (_, change)) in listed.iter_mut().enumerate() {
        *change = change_of(index) as u32;
    }
    let batch = fixture.accept(&request).await;
    // A chunk carries the changes of its own users only.
    for ((_, order), count) in chunks(&fixture, &batch).await.into_iter().zip([2, 3]) {
        for turn in &order.turns {
            let change = &order.changes[turn.change as usize];
            assert_eq!(
                *change,
                request.changes[change_of(turn.index as usize)],
                "{turn:?}"
            );
        }
        assert_eq!(order.changes.len(), count);
    }
    // Of the first 50, the even lose their seat and the odd have one; then 25 seats are free, of
    // which the odd up to 90 take 20. Nobody has a license of the last product.
    let expected = "AU".repeat(25) + &"UA".repeat(20) + &"F".repeat(10);
    assert_eq!(fixture.work(&batch).await, expected);
    assert_eq!(fixture.assigned(OFFICE).await, 45);
}

pub(super) async fn thousands_of_users_are_resolved_by_id_and_by_name(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users(1..=6_000).await;
    let users = (1..=6_000u128).map(|number| match number % 3 {
        0 => (by_id(user(number)), 0),
        1 => (UserRef::Name(principal(&name_of(number).to_uppercase())), 0),
        _ => (by_id(user(1_000_000 + number)), 0),
    });
    let request = NewBatch {
        users: Users::Listed(users.collect()),
        ..fixture.request(1, &[], assign(&[OFFICE]))
    };
    let batch = fixture.accept(&request).await;
    let chunks = chunks(&fixture, &batch).await;
    let turns: Vec<_> = chunks
        .into_iter()
        .flat_map(|(_, order)| order.turns)
        .collect();
    assert_eq!(turns.len(), 6_000);
    for (number, turn) in (1..=6_000u128).zip(turns) {
        let expected = match number % 3 {
            2 => (None, user(1_000_000 + number).to_string()),
            _ => (Some(user(number)), name_of(number)),
        };
        assert_eq!((turn.user, turn.name), expected);
    }
}
