//! Users, one at a time.

use super::engine::Fresh;
use super::fixture::{
    BY, Fixture, NOW, by_id, by_name, country, customer, display, later, new_user, principal,
    scope, user,
};
use super::raw;
use crate::domain::UserRef;
use crate::store::{Refusal, User, UserUpdate};

pub(super) fn not_found(user: &UserRef) -> Refusal {
    let id = match user {
        UserRef::Id(id) => id.to_string(),
        UserRef::Name(name) => name.as_str().to_owned(),
    };
    Refusal::NotFound {
        resource: "user",
        id,
    }
}

pub(super) fn taken(field: &'static str) -> Refusal {
    Refusal::Exists {
        resource: "user",
        field,
    }
}

fn named(name: &str) -> UserUpdate {
    UserUpdate {
        principal_name: Some(principal(name)),
        ..UserUpdate::default()
    }
}

pub(super) async fn a_user_is_created_and_found_by_id_and_by_name(fresh: Fresh) {
    let Fixture { rows, .. } = fresh.fixture().await;
    let expected = User {
        user_id: user(1),
        principal_name: "Ada@example.com".to_owned(),
        display_name: "Ada".to_owned(),
        usage_location: Some("NL".to_owned()),
        active: true,
        last_active_at: None,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    let created = rows
        .create_user(new_user(1, "Ada@example.com"), &BY, NOW)
        .await;
    assert_eq!(created.expect("created"), expected);
    for user in [
        by_id(user(1)),
        by_name("Ada@example.com"),
        by_name("ADA@Example.COM"),
    ] {
        assert_eq!(rows.user(&user).await.expect("found"), expected);
    }
    let mut second = new_user(2, "bob@example.com");
    (second.usage_location, second.active) = (None, false);
    let second = rows.create_user(second, &BY, NOW).await.expect("created");
    assert_eq!((second.usage_location, second.active), (None, false));
}

pub(super) async fn a_user_is_changed_value_by_value(fresh: Fresh) {
    let Fixture { store, rows, .. } = fresh.fixture().await;
    let mut expected = rows
        .create_user(new_user(1, "ada@x"), &BY, NOW)
        .await
        .expect("created");
    let mut updates = [(); 5].map(|()| UserUpdate::default());
    updates[0] = named("grace@x");
    updates[1].display_name = Some(display("Grace"));
    updates[2].usage_location = Some(None);
    updates[3].usage_location = Some(Some(country("be")));
    updates[4].active = Some(false);
    for (update, step) in updates.iter().zip(1..) {
        let now = later(step);
        let version = Some(expected.version);
        let changed = rows
            .update_user(&by_id(user(1)), update, version, &BY, now)
            .await;
        expected = User {
            version: expected.version + 1,
            updated_at: now,
            ..expected
        };
        match step {
            1 => expected.principal_name = "grace@x".to_owned(),
            2 => expected.display_name = "Grace".to_owned(),
            3 => expected.usage_location = None,
            4 => expected.usage_location = Some("BE".to_owned()),
            _ => expected.active = false,
        }
        assert_eq!(changed.expect("changed"), expected, "step {step}");
        // The same again is no change.
        let again = rows
            .update_user(&by_name("grace@x"), update, None, &BY, later(99))
            .await;
        assert_eq!(again.expect("unchanged"), expected, "step {step} again");
        assert_eq!(rows.user(&by_id(user(1))).await.expect("found"), expected);
    }
    let old = by_name("ada@x");
    let refusal = raw::refusal(&store, rows.user(&old)).await;
    assert_eq!(refusal, not_found(&old));
}

pub(super) async fn a_user_at_another_version_is_left_alone(fresh: Fresh) {
    let Fixture { store, rows, .. } = fresh.fixture().await;
    rows.create_user(new_user(1, "ada@x"), &BY, NOW)
        .await
        .expect("created");
    let (id, update) = (by_id(user(1)), named("grace@x"));
    let (resource, text) = ("user", user(1).to_string());
    let expected = Refusal::VersionMismatch {
        resource,
        id: text,
        version: 1,
    };
    for stale in [0, 2] {
        let change = rows.update_user(&id, &update, Some(stale), &BY, NOW);
        assert_eq!(raw::refusal(&store, change).await, expected);
        let delete = rows.delete_user(&id, Some(stale), &BY, NOW);
        assert_eq!(raw::refusal(&store, delete).await, expected);
    }
}

pub(super) async fn a_user_that_is_not_there_is_not_found(fresh: Fresh) {
    let Fixture { store, rows, .. } = fresh.fixture().await;
    let other = customer(2);
    store
        .create_customer(other, &display("Fabrikam"), &BY, NOW)
        .await
        .expect("created");
    store
        .of(scope(other))
        .create_user(new_user(1, "ada@x"), &BY, NOW)
        .await
        .expect("created");
    // Those of another customer included.
    for user in [
        by_id(user(1)),
        by_id(user(9)),
        by_name("ada@x"),
        by_name("nobody@x"),
    ] {
        let expected = not_found(&user);
        assert_eq!(raw::refusal(&store, rows.user(&user)).await, expected);
        let update = named("new@x");
        let change = rows.update_user(&user, &update, None, &BY, NOW);
        assert_eq!(raw::refusal(&store, change).await, expected);
        let delete = rows.delete_user(&user, None, &BY, NOW);
        assert_eq!(raw::refusal(&store, delete).await, expected);
    }
    let nowhere = customer(3);
    let missing = Refusal::NotFound {
        resource: "customer",
        id: nowhere.to_string(),
    };
    let there = store.of(scope(nowhere));
    let create = there.create_user(new_user(1, "ada@x"), &BY, NOW);
    assert_eq!(raw::refusal(&store, create).await, missing);
    assert_eq!(
        raw::refusal(&store, store.of(scope(nowhere)).user(&by_id(user(1)))).await,
        missing
    );
}

pub(super) async fn user_ids_and_folded_names_are_unique_within_a_customer(fresh: Fresh) {
    let Fixture { store, rows, .. } = fresh.fixture().await;
    let spellings = [
        ("Ada@Example.com", "aDA@example.COM"),
        ("straße@x.de", "STRASSE@X.DE"),
        ("\u{e9}va@x.hu", "E\u{301}VA@x.hu"),
        ("σίσυφος@x.gr", "ΣΊΣΥΦΟΣ@x.gr"),
    ];
    for ((one, other), number) in spellings.into_iter().zip(1..) {
        let created = rows
            .create_user(new_user(number, one), &BY, NOW)
            .await
            .expect("created");
        let found = rows.user(&by_name(other)).await.expect("found");
        assert_eq!(found, created);
        let same_name = rows.create_user(new_user(100 + number, other), &BY, NOW);
        assert_eq!(
            raw::refusal(&store, same_name).await,
            taken("principal_name"),
            "{other}"
        );
    }
    let same_id = rows.create_user(new_user(1, "new@x"), &BY, NOW);
    assert_eq!(raw::refusal(&store, same_id).await, taken("user_id"));
    let (id, update) = (by_id(user(1)), named("STRASSE@x.de"));
    let change = rows.update_user(&id, &update, None, &BY, NOW);
    assert_eq!(raw::refusal(&store, change).await, taken("principal_name"));

    // A user's own name in another spelling is a change like any other.
    let (id, update) = (by_id(user(2)), named("Strasse@x.de"));
    let changed = rows
        .update_user(&id, &update, None, &BY, NOW)
        .await
        .expect("changed");
    assert_eq!(
        (changed.principal_name.as_str(), changed.version),
        ("Strasse@x.de", 2)
    );
    // Another customer has names and ids of its own.
    store
        .create_customer(customer(2), &display("Fabrikam"), &BY, NOW)
        .await
        .expect("created");
    let there = store
        .of(scope(customer(2)))
        .create_user(new_user(1, "Ada@Example.com"), &BY, NOW)
        .await;
    assert_eq!(there.expect("created").user_id, user(1));
}
