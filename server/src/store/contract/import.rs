//! Import of users.

use super::engine::Fresh;
use super::fixture::{
    BY, Fixture, NOW, by_id, by_name, country, customer, display, first_users, later, name_of,
    new_user, principal, scope, user,
};
use super::raw;
use crate::domain::UserId;
use crate::store::{ImportUser, Imported, Refusal, Store, UserUpdate};

/// A row with an id, if it is not 0, and names, if they are not empty. New users get 1000 + place.
fn people(rows: &[(u128, &str, &str)]) -> Vec<ImportUser> {
    let row = |(&(id, name, shown), place): (&(u128, &str, &str), u128)| ImportUser {
        id: (id != 0).then_some(user(id)),
        new_id: user(1000 + place),
        values: UserUpdate {
            principal_name: (!name.is_empty()).then(|| principal(name)),
            display_name: (!shown.is_empty()).then(|| display(shown)),
            ..UserUpdate::default()
        },
    };
    rows.iter().zip(0..).map(row).collect()
}

/// Outcomes in short: the kind and the id, or the field that was refused.
async fn import(fixture: &Fixture, part: Vec<ImportUser>) -> Vec<String> {
    let outcomes = fixture.rows.import_users(part, &BY, later(5)).await;
    let short = |outcome: Imported| match outcome {
        Imported::Created(UserId(id)) => format!("created {}", id.as_u128()),
        Imported::Updated(UserId(id)) => format!("updated {}", id.as_u128()),
        Imported::Unchanged(UserId(id)) => format!("unchanged {}", id.as_u128()),
        Imported::Failed(why) => format!("failed {}", why.split(':').next().unwrap_or_default()),
    };
    outcomes.expect("imported").into_iter().map(short).collect()
}

/// Everybody's number, names and version.
async fn everybody(fixture: &Fixture) -> Vec<String> {
    let users = first_users(&fixture.store, fixture.customer, 5_000)
        .await
        .expect("users");
    let line = |user: crate::store::User| {
        let id = user.user_id.0.as_u128();
        format!(
            "{id} {} {} v{}",
            user.principal_name, user.display_name, user.version
        )
    };
    users.into_iter().map(line).collect()
}

async fn with_users(fresh: Fresh, names: &[&str]) -> Fixture {
    let fixture = fresh.fixture().await;
    for (name, number) in names.iter().zip(1..) {
        let new = new_user(number, name);
        fixture
            .rows
            .create_user(new, &BY, NOW)
            .await
            .expect("created");
    }
    fixture
}

pub(super) async fn imported_users_are_created_updated_or_unchanged(fresh: Fresh) {
    let fixture = with_users(fresh, &["a@x", "b@x", "c@x"]).await;
    let part = people(&[
        (9, "new@x", "New"),
        (0, "newer@x", "Newer"),
        (1, "a2@x", ""),
        (0, "B@X", "Bob"),
        (3, "c@x", "Ada"),
        (2, "", "Bob"),
    ]);
    let expected = [
        "created 9",
        "created 1001",
        "updated 1",
        "updated 2",
        "unchanged 3",
        "unchanged 2",
    ];
    assert_eq!(import(&fixture, part).await, expected);
    let expected = [
        "1 a2@x Ada v2",
        "2 B@X Bob v2",
        "3 c@x Ada v1",
        "9 new@x New v1",
        "1001 newer@x Newer v1",
    ];
    assert_eq!(everybody(&fixture).await, expected);
    let Fixture { rows, .. } = &fixture;
    let created = rows.user(&by_name("new@x")).await.expect("found");
    assert_eq!(
        (created.created_at, created.usage_location, created.active),
        (later(5), None, true)
    );
    let updated = rows.user(&by_id(user(1))).await.expect("found");
    assert_eq!((updated.created_at, updated.updated_at), (NOW, later(5)));
    let unchanged = rows.user(&by_id(user(3))).await.expect("found");
    assert_eq!(unchanged.updated_at, NOW);
}

pub(super) async fn an_imported_user_that_is_refused_does_not_keep_others_out(fresh: Fresh) {
    let fixture = with_users(fresh, &["a@x", "b@x", "gone@x"]).await;
    let Fixture { rows, .. } = &fixture;
    rows.delete_user(&by_id(user(3)), None, &BY, NOW)
        .await
        .expect("deleted");
    let part = people(&[
        (4, "d@x", "D"),
        (1, "b@x", ""),
        (0, "nobody@x", ""),
        (5, "", "E"),
        (3, "back@x", "Back"),
        (6, "A@X", "F"),
        (0, "gone@x", "Another"),
        (2, "", "Bob"),
    ]);
    let expected = [
        "created 4",
        "failed principal_name",
        "failed display_name",
        "failed principal_name",
        "failed user_id",
        "failed principal_name",
        "created 1006",
        "updated 2",
    ];
    assert_eq!(import(&fixture, part).await, expected);
    let expected = [
        "1 a@x Ada v1",
        "2 b@x Bob v2",
        "4 d@x D v1",
        "1006 gone@x Another v1",
    ];
    assert_eq!(everybody(&fixture).await, expected);
}

pub(super) async fn a_user_may_come_twice_in_one_import(fresh: Fresh) {
    let fixture = with_users(fresh, &["a@x", "b@x"]).await;
    let part = people(&[
        (0, "new@x", "New"),
        (0, "NEW@x", "Newer"),
        (1, "", "One"),
        (0, "a@x", "Two"),
        (0, "a@x", "Two"),
    ]);
    let expected = [
        "created 1000",
        "updated 1000",
        "updated 1",
        "updated 1",
        "unchanged 1",
    ];
    assert_eq!(import(&fixture, part).await, expected);
    let expected = ["1 a@x Two v3", "2 b@x Ada v1", "1000 NEW@x Newer v2"];
    assert_eq!(everybody(&fixture).await, expected);
}

pub(super) async fn names_may_move_between_users_within_one_import(fresh: Fresh) {
    let fixture = with_users(fresh, &["a@x", "b@x", "c@x"]).await;
    // 1 makes room for 2, which makes room for 1; a new user takes a name that was let go.
    let part = people(&[
        (1, "spare@x", ""),
        (2, "a@x", ""),
        (1, "b@x", ""),
        (0, "spare@x", "New"),
        (3, "b@x", ""),
        (1003, "other@x", ""),
        (3, "spare@x", ""),
    ]);
    let expected = [
        "updated 1",
        "updated 2",
        "updated 1",
        "created 1003",
        "failed principal_name",
        "updated 1003",
        "updated 3",
    ];
    assert_eq!(import(&fixture, part).await, expected);
    let expected = [
        "1 b@x Ada v3",
        "2 a@x Ada v2",
        "3 spare@x Ada v2",
        "1003 other@x New v2",
    ];
    assert_eq!(everybody(&fixture).await, expected);
}

pub(super) async fn a_thousand_users_are_imported_at_once(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let part = || -> Vec<ImportUser> {
        let row = |number: u128| ImportUser {
            id: None,
            new_id: user(number),
            values: UserUpdate {
                principal_name: Some(principal(&name_of(number))),
                display_name: Some(display("Ada")),
                usage_location: Some(Some(country("NL"))),
                active: Some(number.is_multiple_of(2)),
                last_active_at: None,
            },
        };
        (1..=1_000).map(row).collect()
    };
    let created: Vec<_> = (1..=1_000)
        .map(|number| format!("created {number}"))
        .collect();
    assert_eq!(import(&fixture, part()).await, created);
    let unchanged: Vec<_> = (1..=1_000)
        .map(|number| format!("unchanged {number}"))
        .collect();
    assert_eq!(import(&fixture, part()).await, unchanged);
    let mut part = part();
    part.iter_mut()
        .for_each(|row| row.values.active = Some(true));
    let outcomes = import(&fixture, part).await;
    let updated = outcomes
        .iter()
        .filter(|outcome| outcome.starts_with("updated"))
        .count();
    assert_eq!((updated, outcomes.len()), (500, 1_000));
    let users = first_users(&fixture.store, fixture.customer, 2_000)
        .await
        .expect("users");
    assert!(users.len() == 1_000 && users.iter().all(|user| user.active));
}

pub(super) async fn an_import_touches_its_customer_only(fresh: Fresh) {
    let fixture = with_users(fresh, &["a@x"]).await;
    let store: &Store = &fixture.store;
    let elsewhere = customer(2);
    let there = store.of(scope(elsewhere));
    let import = there.import_users(people(&[(1, "a@x", "A")]), &BY, NOW);
    let expected = Refusal::NotFound {
        resource: "customer",
        id: elsewhere.to_string(),
    };
    assert_eq!(raw::refusal(store, import).await, expected);
    store
        .create_customer(elsewhere, &display("Fabrikam"), &BY, NOW)
        .await
        .expect("created");
    let there = store.of(scope(elsewhere));
    let import = there
        .import_users(people(&[(1, "a@x", "Other")]), &BY, NOW)
        .await;
    assert_eq!(import.expect("imported"), [Imported::Created(user(1))]);
    assert_eq!(everybody(&fixture).await, ["1 a@x Ada v1"]);
    let nobody = store
        .of(scope(elsewhere))
        .import_users(Vec::new(), &BY, NOW)
        .await;
    assert_eq!(nobody.expect("imported"), []);
}
