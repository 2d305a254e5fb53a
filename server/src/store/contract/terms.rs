//! Batches that stop, that are all or nothing, that refuse a lack of seats, and that keep a promise;
//! and previews of them.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign, edition, edition_product, revoke, user,
};
use super::raw;
use crate::domain::{Change, Digest, ProductId, Replace, Stop, Terms, UserId, UserRef};
use crate::store::{
    ATOMIC_USERS_MAX, Accepted, Batch, Capacity, NewBatch, Preview, Previewed, Refusal, UserUpdate,
    Users,
};

fn replace(product: ProductId, by: ProductId) -> Change {
    let plans = None;
    Change {
        replace: vec![Replace { product, by, plans }],
        ..Change::default()
    }
}

/// What a preview says: a letter for each turn, the batch at its end, and the promise.
pub(super) async fn preview(fixture: &Fixture, request: &NewBatch) -> (String, Batch, Digest) {
    let before = raw::contents(&fixture.store).await;
    let (sender, mut parts) = mpsc::channel::<Preview>(64);
    let rehearse = fixture.rehearse(request.terms);
    let stop = CancellationToken::new();
    let previewed = fixture
        .rows
        .preview_batch(request, &rehearse, &sender, &stop);
    assert_eq!(previewed.await.expect("previewed"), Previewed::Done);
    drop(sender);
    let (mut letters, mut end) = (String::new(), None);
    while let Some(part) = parts.recv().await {
        match part {
            Preview::Started(batch) => assert!(batch.is_preview() && end.is_none()),
            Preview::Results(results) => {
                assert_eq!(results.first_position, letters.len() as i64);
                letters += &String::from_utf8(results.bytes).expect("letters");
            }
            Preview::Ended(batch, _, digest) => end = Some((batch, digest)),
        }
    }
    assert_eq!(
        raw::contents(&fixture.store).await,
        before,
        "nothing changed"
    );
    let (batch, digest) = end.expect("an end");
    assert_eq!(batch.next_position, letters.len() as i64);
    (letters, batch, digest.plan)
}

pub(super) async fn a_preview_says_what_the_batch_then_does(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 70).await;
    fixture.enable_seats(BASIC, 5).await;
    let users = fixture.create_users(1..=100).await;
    assert_eq!(fixture.run(1, &users[..3], assign(&[OFFICE])).await, "AAA");
    let terms = [
        Terms::BestEffort,
        Terms::StopAfter(2),
        Terms::StopAfter(40),
        Terms::Atomic,
    ];
    for (number, terms) in (2..).zip(terms) {
        let request = NewBatch {
            terms,
            ..fixture.request(number, &users, assign(&[OFFICE]))
        };
        let (said, shown, _) = preview(&fixture, &request).await;
        let batch = fixture.accept(&request).await;
        assert_eq!(fixture.work(&batch).await, said, "{terms:?}");
        let done = fixture.batch(&batch).await;
        let counts = |batch: &Batch| {
            let told = [batch.applied_count, batch.unchanged_count];
            (
                told,
                batch.failed_count,
                batch.skipped_count,
                batch.stopped(),
            )
        };
        assert_eq!(counts(&done), counts(&shown), "{terms:?}");
        // Back to where it began.
        assert_eq!(fixture.assigned(OFFICE).await, 3 + done.applied_count);
        fixture
            .run(number + 100, &users[3..], revoke(&[OFFICE]))
            .await;
        assert_eq!(fixture.assigned(OFFICE).await, 3);
    }
}

pub(super) async fn a_batch_stops_after_so_many_failures(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 99).await;
    let mut users = fixture.create_users(1..=99).await;
    // Nobody there at some turns of both chunks.
    for turn in [10, 50, 70, 90] {
        users.insert(turn, user(1_000 + turn as u128));
    }
    let stopped = |failures| {
        let mut letters = String::new();
        let mut failed = 0;
        for turn in 0..users.len() {
            let missing = [10, 50, 70, 90].contains(&turn);
            letters += match (failed >= failures, missing) {
                (true, _) => "S",
                (false, true) => "F",
                (false, false) => "A",
            };
            failed += u32::from(missing && failed < failures);
        }
        letters
    };
    for (number, failures) in (1..).zip([1, 2, 3, 4, 5]) {
        let request = NewBatch {
            terms: Terms::StopAfter(failures),
            ..fixture.request(number, &users, assign(&[OFFICE]))
        };
        let batch = fixture.accept(&request).await;
        assert_eq!(
            fixture.work(&batch).await,
            stopped(failures),
            "{failures} failures"
        );
        let done = fixture.batch(&batch).await;
        let stop = (failures < 5).then_some(Stop::Failures);
        assert_eq!((done.stopped(), done.has_ended()), (stop, true));
        fixture.run(number + 100, &users, revoke(&[OFFICE])).await;
    }
}

pub(super) async fn full_licenses_are_swapped_by_all_or_nobody(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    for product in [OFFICE, BASIC] {
        fixture.enable_seats(product, 50).await;
    }
    let users = fixture.create_users(1..=100).await;
    fixture.run(1, &users[..50], assign(&[OFFICE])).await;
    fixture.run(2, &users[50..], assign(&[BASIC])).await;
    let swap = |number, terms| {
        let place = |index: usize| u32::from(index >= 50);
        let listed = users.iter().enumerate();
        let listed = listed.map(|(index, user)| (UserRef::Id(*user), place(index)));
        NewBatch {
            changes: vec![replace(OFFICE, BASIC), replace(BASIC, OFFICE)],
            users: Users::Listed(listed.collect()),
            terms,
            ..fixture.request(number, &[], Change::default())
        }
    };
    let batch = fixture.accept(&swap(3, Terms::BestEffort)).await;
    assert_eq!(fixture.work(&batch).await, "F".repeat(100));
    let batch = fixture.accept(&swap(4, Terms::Atomic)).await;
    assert_eq!(fixture.work(&batch).await, "A".repeat(100));
    assert_eq!(
        (
            fixture.assigned(OFFICE).await,
            fixture.assigned(BASIC).await
        ),
        (50, 50)
    );

    // One user who is not there, and nobody is moved back.
    let mut request = swap(5, Terms::Atomic);
    if let Users::Listed(listed) = &mut request.users {
        listed.push((UserRef::Id(user(999)), 0));
    }
    let batch = fixture.accept(&request).await;
    let before = raw::count(&fixture.store, "changes").await;
    assert_eq!(fixture.work(&batch).await, "S".repeat(100) + "F");
    let after = raw::count(&fixture.store, "changes").await;
    assert_eq!(after, before + 1, "only that the batch has ended");
    let done = fixture.batch(&batch).await;
    assert_eq!(
        (done.skipped_count, done.stopped()),
        (100, Some(Stop::RolledBack))
    );
}

pub(super) async fn an_atomic_batch_has_its_limit_of_users(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 20_000).await;
    let users = fixture.create_users(1..=ATOMIC_USERS_MAX as u128 + 1).await;
    let request = |number, users: &[UserId]| NewBatch {
        terms: Terms::Atomic,
        ..fixture.request(number, users, assign(&[OFFICE]))
    };
    let too_many = request(1, &users);
    let refusal = raw::refusal(&fixture.store, fixture.try_accept(&too_many)).await;
    let (given, max) = (ATOMIC_USERS_MAX + 1, ATOMIC_USERS_MAX);
    assert_eq!(refusal, Refusal::TooManyUsers { given, max });
    let batch = fixture
        .accept(&request(1, &users[..ATOMIC_USERS_MAX]))
        .await;
    assert_eq!(fixture.work(&batch).await, "A".repeat(ATOMIC_USERS_MAX));
    assert_eq!(fixture.assigned(OFFICE).await, ATOMIC_USERS_MAX as i64);
}

pub(super) async fn a_batch_that_lacks_seats_is_refused_if_it_says_so(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 97).await;
    fixture.enable_seats(BASIC, 100).await;
    let users = fixture.create_users(1..=100).await;
    let request = |number, users: &[UserId]| NewBatch {
        capacity: Capacity::RefuseIfShort,
        ..fixture.request(number, users, assign(&[OFFICE, BASIC]))
    };
    let short = request(1, &users);
    let refusal = raw::refusal(&fixture.store, fixture.try_accept(&short)).await;
    assert_eq!(refusal, Refusal::SeatsShort(vec![(OFFICE, 3)]));
    let batch = fixture.accept(&request(1, &users[..97])).await;
    assert_eq!(fixture.work(&batch).await, "A".repeat(97));
}

pub(super) async fn a_batch_keeps_the_promise_of_its_preview(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 200).await;
    fixture.enable_seats(BASIC, 200).await;
    let users = fixture.create_users(1..=150).await;
    let plain = fixture.request(1, &users[..100], assign(&[OFFICE]));
    let (_, _, promised) = preview(&fixture, &plain).await;
    let request = |number| NewBatch {
        promised: Some(promised),
        ..fixture.request(number, &users[..100], assign(&[OFFICE]))
    };
    // What cannot change a result does not matter: other users, other products, names.
    fixture.run(10, &users[100..], assign(&[OFFICE])).await;
    fixture.run(11, &users[100..], assign(&[BASIC])).await;
    fixture.enable_seats(OFFICE, 160).await;
    let rename = UserUpdate {
        display_name: Some(super::fixture::display("Someone else")),
        ..UserUpdate::default()
    };
    let update = |number: usize, update: UserUpdate| {
        let user = UserRef::Id(users[number]);
        let rows = fixture.rows.clone();
        async move { rows.update_user(&user, &update, None, &BY, NOW).await }
    };
    update(7, rename).await.expect("renamed");
    // A user that could no longer be served does.
    let leave = |active| UserUpdate {
        active: Some(active),
        ..UserUpdate::default()
    };
    update(80, leave(false)).await.expect("left");
    let refusal = raw::refusal(&fixture.store, fixture.try_accept(&request(2))).await;
    assert_eq!(refusal, Refusal::PlanStale);
    update(80, leave(true)).await.expect("came back");

    // A difference that arises later skips the rest, from its chunk on.
    let batch = match fixture.try_accept(&request(3)).await.expect("accepted") {
        Accepted::New(batch) => batch,
        other => panic!("not accepted: {other:?}"),
    };
    update(80, leave(false)).await.expect("left");
    assert_eq!(fixture.work(&batch).await, "A".repeat(64) + &"S".repeat(36));
    let done = fixture.batch(&batch).await;
    assert_eq!(done.stopped(), Some(Stop::PlanStale));
    assert_eq!(fixture.assigned(OFFICE).await, 64 + 50);
}

pub(super) async fn a_rehearsal_goes_by_the_catalogue_of_its_moment(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    let users = fixture.create_users(1..=3).await;
    let request = NewBatch {
        capacity: Capacity::RefuseIfShort,
        ..fixture.request(1, &users, assign(&[OFFICE]))
    };
    let next = edition(vec![edition_product(OFFICE, "Office", &[1, 2, 5])]);
    fixture
        .store
        .import_edition(&next, &BY, NOW)
        .await
        .expect("imported");
    let (sender, mut parts) = mpsc::channel::<Preview>(64);
    let rehearse = fixture.rehearse(request.terms);
    let stop = CancellationToken::new();
    let previewed = fixture
        .rows
        .preview_batch(&request, &rehearse, &sender, &stop);
    assert_eq!(
        previewed.await.expect("previewed"),
        Previewed::CatalogueMoved
    );
    drop(sender);
    assert!(parts.recv().await.is_none(), "nothing was said");
    let accepted = fixture.try_accept(&request).await.expect("no error");
    assert!(matches!(accepted, Accepted::CatalogueMoved));
    let catalogue = Arc::new(fixture.store.catalogue().await.expect("a catalogue"));
    let fixture = Fixture {
        catalogue,
        ..fixture
    };
    fixture.accept(&request).await;
}
