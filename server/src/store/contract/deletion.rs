//! Deletion of users.

use super::engine::Fresh;
use super::fixture::{
    BY, Fixture, NOW, OFFICE, PREMIUM, assign, by_id, by_name, first_users, later, name_of,
    new_user, user,
};
use super::raw;
use super::users::{not_found, taken};
use crate::domain::{ChoiceId, Edit};

pub(super) async fn a_deleted_user_frees_its_seats_and_says_so_in_one_change(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { rows, .. } = &fixture;
    for product in [OFFICE, PREMIUM] {
        fixture.enable_seats(product, 5).await;
    }
    let users = fixture.create_users(1..=3).await;
    assert_eq!(
        fixture.run(1, &users, assign(&[PREMIUM, OFFICE])).await,
        "AAA"
    );
    let deleted = rows
        .delete_user(&by_name(&name_of(2)), Some(1), &BY, later(5))
        .await;
    assert_eq!(deleted.expect("deleted"), (user(2), vec![OFFICE, PREMIUM]));

    assert_eq!(
        (
            fixture.assigned(OFFICE).await,
            fixture.assigned(PREMIUM).await
        ),
        (2, 2)
    );
    assert_eq!(fixture.held(user(2)).await, []);
    assert_eq!(fixture.held(user(3)).await, [OFFICE, PREMIUM]);
    let changes = raw::changes(&fixture).await;
    let gone = |product| Edit {
        product,
        before: Some(ChoiceId::ALL),
        after: None,
    };
    let expected = raw::ChangeRow {
        user: user(2),
        batch: None,
        edits: vec![gone(OFFICE), gone(PREMIUM)],
    };
    assert_eq!(changes.last(), Some(&expected));
    assert_eq!(changes.len(), 4);

    // Who held nothing loses nothing.
    rows.create_user(new_user(4, "d@x"), &BY, NOW)
        .await
        .expect("created");
    let deleted = rows.delete_user(&by_id(user(4)), None, &BY, NOW).await;
    assert_eq!(deleted.expect("deleted"), (user(4), vec![]));
    assert_eq!(raw::changes(&fixture).await.len(), 4);
}

pub(super) async fn a_deleted_users_name_can_be_used_again_and_its_id_cannot(fresh: Fresh) {
    let Fixture {
        store,
        customer,
        rows,
        ..
    } = fresh.fixture().await;
    rows.create_user(new_user(1, "ada@x"), &BY, NOW)
        .await
        .expect("created");
    rows.delete_user(&by_id(user(1)), None, &BY, NOW)
        .await
        .expect("deleted");
    for user in [by_id(user(1)), by_name("ada@x")] {
        let expected = not_found(&user);
        assert_eq!(raw::refusal(&store, rows.user(&user)).await, expected);
        let again = rows.delete_user(&user, None, &BY, NOW);
        assert_eq!(raw::refusal(&store, again).await, expected);
    }
    assert_eq!(first_users(&store, customer, 9).await.expect("a page"), []);
    let same_id = rows.create_user(new_user(1, "new@x"), &BY, NOW);
    assert_eq!(raw::refusal(&store, same_id).await, taken("user_id"));
    let same_name = rows.create_user(new_user(2, "ADA@x"), &BY, NOW).await;
    assert_eq!(same_name.expect("created").user_id, user(2));
    let found = rows.user(&by_name("ada@x")).await;
    assert_eq!(found.expect("found").user_id, user(2));

    // Any number of users can be deleted; the tombstones hold no personal data.
    rows.delete_user(&by_id(user(2)), None, &BY, NOW)
        .await
        .expect("deleted");
    let left = raw::lines(
        &store,
        "SELECT principal_name || display_name || COALESCE(usage_location, '') || \
         COALESCE(principal_key, '') AS line FROM users",
    );
    assert_eq!(left.await, ["", ""]);
}
