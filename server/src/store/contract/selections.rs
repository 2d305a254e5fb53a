//! Selections: who is selected, in which order, and what is kept of it for how long.

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, by_id, by_name, customer, display, later, scope, user};
use super::model::Model;
use super::raw;
use crate::domain::{
    CustomerId, Place, Selection, SelectionId, SelectionPart, UserFilter, UserId, UserRef,
};
use crate::store::selection::{Evaluated, evaluate};
use crate::store::{Error, FrozenSelection, NewSelection, Refusal, Store, Timestamp};

impl Fixture {
    pub(super) async fn freeze(
        &self,
        id: SelectionId,
        selection: Selection,
        now: Timestamp,
    ) -> Result<(FrozenSelection, Vec<UserRef>), Error> {
        let new = NewSelection {
            id,
            selection,
            origin: BY.clone(),
            now,
            expires_at: Timestamp(now.0 + 60_000_000),
        };
        self.rows.create_selection(&new).await
    }

    pub(super) async fn evaluate(
        &self,
        selection: &Selection,
        now: Timestamp,
    ) -> Result<Evaluated, Error> {
        evaluate_in(&self.store, self.customer, selection, now).await
    }

    /// All users of a frozen selection in pages, read from the first on and from the last back.
    pub(super) async fn frozen_pages(
        &self,
        id: SelectionId,
        size: i64,
        now: Timestamp,
    ) -> Vec<UserId> {
        let (mut forward, mut place) = (Vec::new(), Place::First);
        loop {
            let page = self.rows.frozen_users(id, &place, size, now);
            let page = page.await.expect("a page");
            let Some((last, _)) = page.last() else {
                break;
            };
            place = Place::After(*last);
            forward.extend(page.into_iter().map(|(_, user)| user.user_id));
        }
        let (mut backward, mut place) = (Vec::new(), Place::Last);
        loop {
            let page = self.rows.frozen_users(id, &place, size, now);
            let page = page.await.expect("a page");
            let Some((first, _)) = page.first() else {
                break;
            };
            place = Place::Before(*first);
            backward.splice(0..0, page.into_iter().map(|(_, user)| user.user_id));
        }
        assert_eq!(forward, backward);
        forward
    }
}

/// Evaluates in a transaction that writes: in a read it is done everywhere else.
async fn evaluate_in(
    store: &Store,
    customer: CustomerId,
    selection: &Selection,
    now: Timestamp,
) -> Result<Evaluated, Error> {
    write_tx!(store, conn => { evaluate(conn, customer, selection, now).await })
}

fn named(users: &[UserRef]) -> Selection {
    Selection {
        parts: vec![SelectionPart::Users(users.to_vec())],
        except: Vec::new(),
    }
}

fn everybody() -> Selection {
    Selection {
        parts: vec![SelectionPart::Filter(UserFilter::default())],
        except: Vec::new(),
    }
}

fn frozen(id: SelectionId) -> Selection {
    Selection {
        parts: vec![SelectionPart::Frozen(id)],
        except: Vec::new(),
    }
}

const fn selection(number: u128) -> SelectionId {
    SelectionId(uuid::Uuid::from_u128(number))
}

fn not_found(id: SelectionId) -> Refusal {
    Refusal::NotFound {
        resource: "selection",
        id: id.to_string(),
    }
}

pub(super) async fn selections_are_what_a_naive_model_says(fresh: Fresh) {
    let mut model = Model::new(fresh, 20_251).await;
    for step in 0..120 {
        model.step().await;
        if step % 4 == 0 {
            model.check().await;
        }
    }
    assert!(model.frozen.len() > 5 && model.deleted.len() > 5);
    for (id, _, sorted) in &model.frozen {
        let living = sorted.iter().copied();
        let living: Vec<_> = living.filter(|id| model.person(*id).is_some()).collect();
        let listed = model.fixture.frozen_pages(*id, 3, NOW).await;
        assert_eq!(listed, living, "the order of names stays as it was frozen");
    }
}

pub(super) async fn a_frozen_selection_is_gone_when_its_time_is_over(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users(1..=3).await;
    let id = selection(1);
    let (made, _) = fixture.freeze(id, everybody(), NOW).await.expect("frozen");
    let expected = FrozenSelection {
        selection_id: id,
        user_count: 3,
        created_at: NOW,
        expires_at: later(60),
    };
    assert_eq!(made, expected);
    let Fixture { rows, .. } = &fixture;
    let read = rows.selection(id, later(59)).await;
    assert_eq!(read.expect("there"), expected);
    assert_refused(rows.selection(id, later(60)).await, not_found(id));
    assert_refused(
        fixture.evaluate(&frozen(id), later(60)).await,
        not_found(id),
    );
    let listed = rows.frozen_users(id, &Place::First, 9, later(60));
    assert_refused(listed.await, not_found(id));
}

pub(super) async fn a_deleted_selection_is_gone_and_can_be_deleted_again(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users(1..=3).await;
    let Fixture { store, rows, .. } = &fixture;
    for number in [1, 2] {
        let made = fixture.freeze(selection(number), everybody(), NOW).await;
        made.expect("frozen");
    }
    for _ in 0..2 {
        rows.delete_selection(selection(1), &BY, NOW)
            .await
            .expect("gone");
        let read = rows.selection(selection(1), NOW).await;
        assert_refused(read, not_found(selection(1)));
    }
    let other = fixture.evaluate(&frozen(selection(2)), NOW).await;
    assert_eq!(other.expect("kept").users.len(), 3);
    assert_eq!(rows_in(store, "selection_chunks").await, 1);
    let strange = store
        .of(scope(customer(9)))
        .delete_selection(selection(2), &BY, NOW)
        .await;
    assert_refused(strange, customer_not_found(9));
}

pub(super) async fn another_customers_selection_is_not_found(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users(1..=3).await;
    let store = &fixture.store;
    let id = selection(1);
    fixture.freeze(id, everybody(), NOW).await.expect("frozen");
    let created = store
        .create_customer(customer(2), &display("Fabrikam"), &BY, NOW)
        .await;
    created.expect("created");
    let other = fixture.of(customer(2));
    assert_refused(
        store.of(scope(customer(2))).selection(id, NOW).await,
        not_found(id),
    );
    assert_refused(other.evaluate(&frozen(id), NOW).await, not_found(id));
    assert_refused(
        other.freeze(selection(2), frozen(id), NOW).await,
        not_found(id),
    );
    store
        .of(scope(customer(2)))
        .delete_selection(id, &BY, NOW)
        .await
        .expect("not there");
    let users = other
        .evaluate(&named(&[by_id(user(1))]), NOW)
        .await
        .expect("found");
    assert_eq!((users.users, users.unknown), (vec![], vec![by_id(user(1))]));
    assert_eq!(
        other
            .evaluate(&everybody(), NOW)
            .await
            .expect("found")
            .users,
        []
    );
    assert!(
        fixture.evaluate(&frozen(id), NOW).await.is_ok(),
        "untouched"
    );
    assert_refused(
        store.of(scope(customer(9))).selection(id, NOW).await,
        customer_not_found(9),
    );
    let nobodys = fixture.of(customer(9));
    let made = nobodys.freeze(selection(3), everybody(), NOW).await;
    assert_refused(made, customer_not_found(9));
}

pub(super) async fn a_customer_keeps_a_hundred_selections_and_expired_ones_make_room(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users(1..=2).await;
    let store = &fixture.store;
    for number in 1..=100 {
        let made = fixture.freeze(selection(number), everybody(), NOW).await;
        made.expect("frozen");
    }
    let full = Refusal::TooManySelections { max: 100 };
    let more = fixture.freeze(selection(101), everybody(), later(59)).await;
    assert_refused(more, full.clone());
    assert_eq!(
        rows_in(store, "selections").await,
        100,
        "nothing was written"
    );
    fixture
        .rows
        .delete_selection(selection(7), &BY, NOW)
        .await
        .expect("deleted");
    let more = fixture.freeze(selection(101), everybody(), later(59)).await;
    more.expect("there is room");
    let more = fixture.freeze(selection(102), everybody(), later(59)).await;
    assert_refused(more, full);
    // All but one are over; each call clears some of them away.
    for number in 0..25 {
        let made = fixture
            .freeze(selection(200 + number), everybody(), later(60))
            .await;
        made.expect("frozen");
    }
    assert_eq!(rows_in(store, "selections").await, 26);
    assert_eq!(rows_in(store, "selection_chunks").await, 26);
}

pub(super) async fn a_part_that_names_a_user_twice_is_refused(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.create_users(1..=3).await;
    let twice = SelectionPart::Users(vec![
        by_id(user(9)),
        by_id(user(2)),
        by_id(user(1)),
        by_name("USER2@example.com"),
    ]);
    let once = SelectionPart::Users(vec![by_id(user(1))]);
    let refusal = |part: &str| Refusal::SelectedTwice {
        part: part.to_owned(),
        first: 1,
        second: 3,
    };
    let parts = Selection {
        parts: vec![once.clone(), twice.clone()],
        except: Vec::new(),
    };
    assert_refused(fixture.evaluate(&parts, NOW).await, refusal("parts[1]"));
    let except = Selection {
        parts: vec![once.clone()],
        except: vec![twice],
    };
    assert_refused(fixture.evaluate(&except, NOW).await, refusal("except[0]"));
    let union = Selection {
        parts: vec![once.clone(), once],
        except: Vec::new(),
    };
    let found = fixture.evaluate(&union, NOW).await.expect("a union");
    assert_eq!(found.users, [user(1)]);
}

/// Also what a new one is made of: a frozen one with more and fewer users.
pub(super) async fn a_frozen_selection_of_many_rows_is_read_from_any_place(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let mut users = fixture.create_users(1..=9_000).await;
    // All names are equal: by id is by name. The selection has them the other way round.
    let backwards: Vec<UserRef> = users.iter().rev().map(|id| by_id(*id)).collect();
    let made = fixture.freeze(selection(1), named(&backwards), NOW).await;
    assert_eq!(made.expect("frozen").0.user_count, 9_000);
    let extended = Selection {
        parts: vec![SelectionPart::Frozen(selection(1))],
        except: vec![SelectionPart::Users(vec![
            by_id(user(1)),
            by_id(user(4_500)),
        ])],
    };
    let made = fixture.freeze(selection(2), extended, NOW).await;
    assert_eq!(made.expect("frozen").0.user_count, 8_998);
    users.retain(|id| ![user(1), user(4_500)].contains(id));

    let Fixture { rows, .. } = &fixture;
    let found = fixture
        .evaluate(&frozen(selection(2)), NOW)
        .await
        .expect("found")
        .users;
    assert!(found.iter().rev().eq(&users));
    for (place, expected) in [
        (Place::First, 0..1_001),
        (Place::After(4_094), 4_095..5_096),
        (Place::After(8_990), 8_991..8_998),
        (Place::Before(4_097), 3_096..4_097),
        (Place::Before(5), 0..5),
        (Place::Last, 7_997..8_998),
        (Place::After(8_997), 0..0),
    ] {
        let page = rows.frozen_users(selection(2), &place, 1_001, NOW).await;
        let page: Vec<_> = page
            .expect("a page")
            .iter()
            .map(|(at, u)| (*at, u.user_id))
            .collect();
        let range = expected.start as i64..expected.end as i64;
        let expected: Vec<_> = range.zip(users[expected].iter().copied()).collect();
        assert_eq!(page, expected, "{place:?}");
    }
    // Who is deleted leaves no hole in a page.
    for number in 2..=5 {
        let deleted = rows.delete_user(&by_id(user(number)), None, &BY, NOW).await;
        deleted.expect("deleted");
    }
    let page = rows.frozen_users(selection(2), &Place::First, 3, NOW).await;
    let page: Vec<_> = page
        .expect("a page")
        .iter()
        .map(|(at, u)| (*at, u.user_id))
        .collect();
    assert_eq!(page, [(4, user(6)), (5, user(7)), (6, user(8))]);
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, expected: Refusal) {
    match result {
        Err(Error::Refused(refusal)) => assert_eq!(refusal, expected),
        other => panic!("not refused with {expected:?}: {other:?}"),
    }
}

async fn rows_in(store: &Store, table: &str) -> usize {
    let query = format!("SELECT 'row' AS line FROM {table}");
    raw::lines(store, &query).await.len()
}

fn customer_not_found(number: u128) -> Refusal {
    Refusal::NotFound {
        resource: "customer",
        id: customer(number).to_string(),
    }
}
