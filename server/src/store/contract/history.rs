//! Histories, and what was so in the past.

use uuid::Uuid;

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign, assign_plans, by_id, customer, display,
    later, new_user, plan, principal, revoke, scope, user,
};
use super::model::Random;
use super::raw;
use crate::domain::{
    BatchId, Change, INSTALLATION, PlanChoice, Record,
    RecordKind::{self, *},
    UserId,
};
use crate::store::{
    AssignmentFilter, CustomerUpdate, HistoryFilter, Recorded, Refusal, SeatsUpdate, Subject,
    Timestamp, UserUpdate,
};

fn about(subject: Subject) -> HistoryFilter {
    HistoryFilter {
        subject,
        kinds: Vec::new(),
        from: None,
        until: None,
    }
}

impl Fixture {
    /// A whole history in pages of three, each record once and the newest first.
    async fn history(&self, filter: &HistoryFilter) -> Vec<Recorded> {
        let mut all: Vec<Recorded> = Vec::new();
        loop {
            let before = all.last().map(|last| last.seq);
            let page = self.rows.history(filter, before, 3).await;
            let page = page.expect("a page");
            let is_last = page.len() < 3;
            all.extend(page);
            if is_last {
                assert!(all.is_sorted_by(|a, b| a.seq > b.seq), "{all:?}");
                return all;
            }
        }
    }

    async fn kinds(&self, filter: &HistoryFilter) -> Vec<RecordKind> {
        let records = self.history(filter).await;
        records.iter().map(|one| one.record.key().0).collect()
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one history, asked about everything in it"
)]
pub(super) async fn a_history_is_listed_by_what_it_is_about(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 900).await;
    fixture.enable_seats(BASIC, 900).await;
    let users = fixture.create_users(1..=70).await;
    fixture.run(1, &users, assign(&[OFFICE])).await;
    fixture.run(2, &users[..2], assign(&[BASIC])).await;
    fixture.run(3, &users[..1], revoke(&[OFFICE])).await;
    let store = &fixture.store;
    let first = by_id(user(1));
    let deleted = fixture.rows.delete_user(&first, None, &BY, NOW);
    deleted.await.expect("deleted");

    let everything = fixture.history(&about(Subject::Everything)).await;
    let chain = fixture.chain().await;
    assert_eq!(everything.len(), chain.records.len());
    let mut expected = chain.records.iter().rev();
    for recorded in &everything {
        let stored = expected.next().expect("as many");
        assert_eq!(recorded.seq, stored.seq);
        assert_eq!(recorded.record, stored.decode().expect("a record"));
        assert_eq!(recorded.who, BY.who);
        assert_eq!(recorded.comment, BY.comment.as_str());
    }

    let of_user = fixture.kinds(&about(Subject::User(user(1)))).await;
    let expected = [
        UserDeleted,
        Assignments,
        Assignments,
        Assignments,
        Assignments,
        UserCreated,
    ];
    assert_eq!(of_user, expected, "also of a user who is gone");
    let of_license = fixture.kinds(&about(Subject::License(OFFICE))).await;
    assert_eq!(of_license, [SeatsMoved, SeatsMoved, SeatsMoved, SeatsSet]);
    let of_batch = fixture
        .history(&about(Subject::Batch(BatchId(Uuid::from_u128(1)))))
        .await;
    assert_eq!(of_batch.len(), 1 + 70 + 2 + 1);
    let batch = Some(BatchId(Uuid::from_u128(1)));
    assert!(of_batch.iter().all(|one| one.batch == batch));
    assert_eq!(of_batch[0].record.key().0, BatchEnded);
    assert_eq!(of_batch[73].record.key().0, BatchAccepted);

    let unknown = |subject| async move {
        let filter = about(subject);
        raw::refusal(
            store,
            store.of(scope(customer(1))).history(&filter, None, 3),
        )
        .await
    };
    for subject in [
        Subject::User(user(99)),
        Subject::License(PREMIUM),
        Subject::Batch(BatchId(Uuid::from_u128(99))),
    ] {
        let refusal = unknown(subject).await;
        assert!(matches!(refusal, Refusal::NotFound { .. }), "{refusal:?}");
    }
    let filter = about(Subject::Everything);
    let nobody = raw::refusal(
        store,
        store.of(scope(customer(9))).history(&filter, None, 3),
    )
    .await;
    assert!(matches!(nobody, Refusal::NotFound { .. }), "{nobody:?}");
    let catalogue = store
        .of(scope(INSTALLATION))
        .history(&filter, None, 1_000)
        .await;
    let catalogue = catalogue.expect("a history");
    assert!(
        catalogue
            .iter()
            .all(|one| matches!(one.record, Record::Catalogue(_)))
    );
    assert!(catalogue.len() > 4);
}

pub(super) async fn a_history_is_filtered_by_kind_and_time(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    for second in 1..=9 {
        let name = format!("u{second}@x");
        let new = new_user(second as u128, &name);
        let created = fixture.rows.create_user(new, &BY, later(second)).await;
        created.expect("created");
        let seats = SeatsUpdate {
            enabled: Some(second),
            ..SeatsUpdate::default()
        };
        let set = fixture
            .rows
            .set_seats(OFFICE, seats, &BY, later(second))
            .await;
        set.expect("set");
    }
    let all = about(Subject::Everything);
    let kinds = |kinds: &[RecordKind]| HistoryFilter {
        kinds: kinds.to_vec(),
        ..all.clone()
    };
    assert_eq!(fixture.kinds(&kinds(&[SeatsSet])).await, [SeatsSet; 9]);
    let both = fixture.kinds(&kinds(&[CustomerCreated, UserCreated])).await;
    assert_eq!(both, [&[UserCreated; 9][..], &[CustomerCreated]].concat());
    assert_eq!(fixture.kinds(&kinds(&[Assignments])).await, []);

    let times = |from, until| HistoryFilter {
        from: Some(from),
        until: Some(until),
        ..about(Subject::License(OFFICE))
    };
    for (from, until, expected) in [(1, 10, 9), (3, 5, 2), (5, 5, 0), (0, 1, 0), (9, 99, 1)] {
        let found = fixture.history(&times(later(from), later(until))).await;
        assert_eq!(found.len(), expected, "from {from} until {until}");
        assert!(
            found
                .iter()
                .all(|one| { (later(from)..later(until)).contains(&one.committed_at) })
        );
    }
    // To the microsecond.
    let exact = times(later(3), Timestamp(later(3).0 + 1));
    assert_eq!(fixture.history(&exact).await.len(), 1);
    let after = times(Timestamp(later(3).0 + 1), later(4));
    assert_eq!(fixture.history(&after).await.len(), 0);
}

/// What a user held at a moment.
type Then = (
    Timestamp,
    Option<bool>,
    Vec<(crate::domain::ProductId, PlanChoice)>,
);

pub(super) async fn what_a_user_held_is_known_for_every_moment(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    for product in [OFFICE, BASIC, PREMIUM] {
        fixture.enable_seats(product, 9).await;
    }
    let (store, mine, ada) = (&fixture.store, fixture.customer, user(1));
    let mut moments: Vec<Then> = vec![(later(0), None, Vec::new())];
    let created = store
        .of(scope(mine))
        .create_user(new_user(1, "ada@x"), &BY, later(1))
        .await;
    created.expect("created");
    let mut random = Random(1);
    for second in 2..=100u8 {
        let now = later(second.into());
        let product = [OFFICE, BASIC, PREMIUM][random.below(3)];
        let change: Change = match random.below(4) {
            0 => revoke(&[product]),
            1 => assign_plans(OFFICE, PlanChoice::Only(vec![plan(1)])),
            2 => assign_plans(OFFICE, PlanChoice::AllExcept(vec![plan(2)])),
            _ => assign(&[product]),
        };
        if random.one_in(5) {
            let active = Some(!random.one_in(3));
            let values = UserUpdate {
                active,
                ..UserUpdate::default()
            };
            let update = store
                .of(scope(mine))
                .update_user(&by_id(ada), &values, None, &BY, now)
                .await;
            update.expect("updated");
        } else {
            let mut request = fixture.request(second, &[ada], change);
            request.now = now;
            let batch = fixture.accept(&request).await;
            let mut chunk = fixture.chunk(&batch, 0).await;
            chunk.now = now;
            fixture.write(chunk).await;
        }
        moments.push(moment(&fixture, ada, now).await);
    }
    let deleted = store
        .of(scope(mine))
        .delete_user(&by_id(ada), None, &BY, later(200))
        .await;
    deleted.expect("deleted");
    moments.push((later(200), None, Vec::new()));

    let held = moments
        .iter()
        .filter(|(_, _, held)| !held.is_empty())
        .count();
    assert!(held > 20, "{held} moments with something held show little");
    for (at, active, held) in moments {
        for at in [at, Timestamp(at.0 + 999_999)] {
            let then = store
                .of(scope(mine))
                .user_then(ada, at)
                .await
                .expect("a state");
            assert_eq!((then.active, &then.held), (active, &held), "at {at:?}");
        }
    }
    let nobody = raw::refusal(store, store.of(scope(mine)).user_then(user(99), NOW)).await;
    assert!(matches!(nobody, Refusal::NotFound { .. }), "{nobody:?}");
}

/// What is so of a user now.
async fn moment(fixture: &Fixture, user: UserId, at: Timestamp) -> Then {
    let filter = AssignmentFilter {
        user: Some(user),
        product: None,
    };
    let place = crate::domain::Place::First;
    let held = fixture.rows.assignments(filter, &place, 99).await;
    let held = held.expect("assignments").into_iter();
    let found = fixture.rows.user(&by_id(user)).await.expect("a user");
    (
        at,
        Some(found.active),
        held.map(|one| (one.product, one.plans)).collect(),
    )
}

pub(super) async fn a_time_never_goes_back(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    for (name, at) in [("B", later(9)), ("C", later(3)), ("D", later(20))] {
        let name = display(name);
        let update = CustomerUpdate {
            display_name: Some(name),
            guard: None,
        };
        let renamed = fixture.rows.update_customer(&update, None, &BY, at);
        let renamed = renamed.await;
        renamed.expect("renamed");
    }
    let times: Vec<_> = fixture
        .chain()
        .await
        .commits
        .iter()
        .map(|one| one.committed_at)
        .collect();
    assert_eq!(times, [NOW, later(9), later(9), later(20)]);
}

pub(super) async fn a_history_names_users_as_they_are_called_now(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { rows, .. } = &fixture;
    fixture.enable_seats(OFFICE, 9).await;
    fixture.create_users(1..=2).await;
    fixture.run(1, &[user(1), user(2)], assign(&[OFFICE])).await;
    let (one, other) = (by_id(user(1)), by_id(user(2)));
    let renamed = UserUpdate {
        principal_name: Some(principal("now@x")),
        ..UserUpdate::default()
    };
    let renamed = rows.update_user(&one, &renamed, None, &BY, NOW);
    renamed.await.expect("renamed");
    let deleted = rows.delete_user(&other, None, &BY, NOW);
    deleted.await.expect("deleted");

    let names = async |subject| -> Vec<String> {
        let history = fixture.history(&about(subject)).await.into_iter();
        history.map(|one| one.principal_name).collect()
    };
    assert_eq!(names(Subject::User(user(1))).await, ["now@x"; 3]);
    assert_eq!(names(Subject::User(user(2))).await, [""; 4]);
    assert_eq!(names(Subject::License(OFFICE)).await, [""; 3]);
}
