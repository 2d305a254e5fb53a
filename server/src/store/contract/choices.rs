//! Choices of plans and their numbers.

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign, assign_plans, customer, display, of_user,
    plan, user,
};
use super::raw;
use crate::domain::{ChoiceId, Choices, Edit, Place, PlanChoice, UserId};
use crate::store::Chunk;

fn only(number: u128) -> PlanChoice {
    PlanChoice::Only(vec![plan(number)])
}

fn except(number: u128) -> PlanChoice {
    PlanChoice::AllExcept(vec![plan(number)])
}

async fn plans(fixture: &Fixture, user: UserId) -> Vec<PlanChoice> {
    let held = fixture
        .rows
        .assignments(of_user(user), &Place::First, 9)
        .await;
    held.expect("assignments")
        .into_iter()
        .map(|one| one.plans)
        .collect()
}

async fn with_seats(fresh: Fresh) -> (Fixture, Vec<UserId>) {
    let fixture = fresh.fixture().await;
    for product in [OFFICE, BASIC, PREMIUM] {
        fixture.enable_seats(product, 900).await;
    }
    let users = fixture.create_users(1..=4).await;
    (fixture, users)
}

pub(super) async fn a_choice_has_one_number_however_often_it_is_made(fresh: Fresh) {
    let (fixture, users) = with_seats(fresh).await;
    let runs = [
        (assign_plans(OFFICE, only(1)), [(1, true, 1)].as_slice()),
        (
            assign_plans(OFFICE, except(1)),
            &[(1, true, 1), (2, false, 1)],
        ),
        (
            assign_plans(OFFICE, only(1)),
            &[(1, true, 1), (2, false, 1)],
        ),
        (
            assign_plans(OFFICE, PlanChoice::ALL),
            &[(1, true, 1), (2, false, 1)],
        ),
        // Which plans are named counts, not whose they are.
        (
            assign_plans(BASIC, only(3)),
            &[(1, true, 1), (2, false, 1), (3, true, 1)],
        ),
    ];
    for ((change, expected), number) in runs.into_iter().zip(1..) {
        let outcome = fixture.run(number, &users[..2], change.clone()).await;
        assert_eq!(outcome, "AA", "{change:?}");
        assert_eq!(raw::choices(&fixture).await, expected, "{change:?}");
    }
    assert_eq!(plans(&fixture, users[0]).await, [PlanChoice::ALL, only(3)]);
}

pub(super) async fn a_choice_is_changed_in_place_and_takes_no_other_seat(fresh: Fresh) {
    let (fixture, users) = with_seats(fresh).await;
    assert_eq!(fixture.run(1, &users, assign(&[OFFICE])).await, "AAAA");
    assert_eq!(
        fixture
            .run(2, &users[..2], assign_plans(OFFICE, only(2)))
            .await,
        "AA"
    );
    assert_eq!(
        fixture.run(3, &users, assign_plans(OFFICE, only(2))).await,
        "UUAA"
    );
    // A holder of whom no plans are asked keeps its own.
    assert_eq!(fixture.run(4, &users, assign(&[OFFICE])).await, "UUUU");
    assert_eq!(fixture.assigned(OFFICE).await, 4);
    assert_eq!(plans(&fixture, user(1)).await, [only(2)]);
    let first = fixture
        .rows
        .assignments(of_user(user(1)), &Place::First, 9)
        .await;
    let first = first.expect("assignments")[0].batch;
    assert_eq!(
        first.0.as_u128(),
        1,
        "the batch that gave the product, not that changed its plans"
    );
    let changes = raw::changes(&fixture).await;
    let (before, after) = (Some(ChoiceId::ALL), Some(ChoiceId(1)));
    let expected = [Edit {
        product: OFFICE,
        before,
        after,
    }];
    assert!(
        changes[4..].iter().all(|change| change.edits == expected),
        "{changes:?}"
    );
    assert_eq!(changes.len(), 8);
}

pub(super) async fn choices_are_loaded_by_whoever_does_not_know_them(fresh: Fresh) {
    let (fixture, users) = with_seats(fresh).await;
    assert_eq!(
        fixture
            .run(1, &users[..1], assign_plans(OFFICE, only(1)))
            .await,
        "A"
    );
    assert_eq!(
        fixture
            .run(2, &users[1..2], assign_plans(OFFICE, only(2)))
            .await,
        "A"
    );

    // A batch of someone who knows nothing meets them as holdings, and one as a wish.
    let server = fixture.on_another_server().await;
    let change = assign_plans(OFFICE, only(2));
    let batch = server.accept(&server.request(3, &users, change)).await;
    let chunk = server.chunk(&batch, 0).await;
    assert_eq!(chunk.choices.id(&only(1)), None);
    let known = server.write(chunk).await;
    assert_eq!(
        (known.id(&only(1)), known.id(&only(2))),
        (Some(ChoiceId(1)), Some(ChoiceId(2)))
    );
    assert_eq!(known.get(ChoiceId::ALL), Some(&PlanChoice::ALL));
    assert_eq!(raw::choices(&fixture).await.len(), 2);
    assert_eq!(server.batch(&batch).await.unchanged_count, 1);
    for user in users {
        assert_eq!(plans(&fixture, user).await, [only(2)]);
    }
}

pub(super) async fn choices_known_from_before_are_used_and_new_ones_are_told(fresh: Fresh) {
    let (fixture, users) = with_seats(fresh).await;
    let one = fixture
        .accept(&fixture.request(1, &users[..1], assign_plans(OFFICE, only(1))))
        .await;
    let known = fixture.write(fixture.chunk(&one, 0).await).await;
    assert_eq!(known.id(&only(1)), Some(ChoiceId(1)));
    let two = fixture
        .accept(&fixture.request(2, &users[..2], assign_plans(OFFICE, except(2))))
        .await;
    let known = fixture
        .write(Chunk {
            choices: known,
            ..fixture.chunk(&two, 0).await
        })
        .await;
    assert_eq!(known.id(&only(1)), Some(ChoiceId(1)));
    assert_eq!(known.id(&except(2)), Some(ChoiceId(2)));
    // A server that has seen less interns the same choice under the same number.
    let three = fixture
        .accept(&fixture.request(3, &users, assign_plans(OFFICE, only(1))))
        .await;
    let chunk = Chunk {
        choices: Choices::default(),
        ..fixture.chunk(&three, 0).await
    };
    let known = fixture.write(chunk).await;
    assert_eq!(known.id(&only(1)), Some(ChoiceId(1)));
    assert_eq!(raw::choices(&fixture).await, [(1, true, 1), (2, false, 1)]);
}

pub(super) async fn each_customer_numbers_its_own_choices(fresh: Fresh) {
    let (fixture, users) = with_seats(fresh).await;
    assert_eq!(
        fixture.run(1, &users, assign_plans(OFFICE, only(1))).await,
        "AAAA"
    );
    let there = fixture.of(customer(2));
    let name = display("Fabrikam");
    there
        .store
        .create_customer(there.customer, &name, &BY, NOW)
        .await
        .expect("created");
    there.enable_seats(OFFICE, 9).await;
    there.create_users(1..=4).await;
    assert_eq!(
        there.run(1, &users, assign_plans(OFFICE, except(1))).await,
        "AAAA"
    );
    assert_eq!(raw::choices(&fixture).await, [(1, true, 1)]);
    assert_eq!(raw::choices(&there).await, [(1, false, 1)]);
    assert_eq!(plans(&fixture, user(1)).await, [only(1)]);
    assert_eq!(plans(&there, user(1)).await, [except(1)]);
}
