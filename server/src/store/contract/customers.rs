//! Customers.

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, customer, display, first_users, later, scope};
use super::raw;
use crate::domain::{DisplayName, Place};
use crate::store::{AssignmentFilter, Customer, CustomerUpdate, Refusal};

pub(super) fn rename(name: &DisplayName) -> CustomerUpdate {
    CustomerUpdate {
        display_name: Some(name.clone()),
        ..CustomerUpdate::default()
    }
}

pub(super) async fn a_customer_is_created_read_and_renamed(fresh: Fresh) {
    let Fixture { store, .. } = fresh.fixture().await;
    let id = customer(7);
    let created = store
        .create_customer(id, &display("Fabrikam"), &BY, NOW)
        .await
        .expect("created");
    let expected = Customer {
        customer_id: id,
        display_name: "Fabrikam".to_owned(),
        guard_users: None,
        guard_percent: None,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    assert_eq!(created, expected);
    assert_eq!(
        store.of(scope(id)).customer().await.expect("found"),
        expected
    );

    let name = display("Fabrikam é");
    let renamed = store
        .of(scope(id))
        .update_customer(&rename(&name), Some(1), &BY, later(5))
        .await;
    let expected = Customer {
        display_name: "Fabrikam é".to_owned(),
        version: 2,
        updated_at: later(5),
        ..expected
    };
    assert_eq!(renamed.expect("renamed"), expected);
    assert_eq!(
        store.of(scope(id)).customer().await.expect("found"),
        expected
    );

    // The same again is no change; without a version, any will do.
    let nothing = CustomerUpdate::default();
    for (update, version) in [
        (rename(&name), Some(2)),
        (nothing, Some(2)),
        (rename(&name), None),
    ] {
        let same = store
            .of(scope(id))
            .update_customer(&update, version, &BY, later(9))
            .await;
        assert_eq!(same.expect("unchanged"), expected);
    }
    assert_eq!(
        store.of(scope(id)).customer().await.expect("found"),
        expected
    );
}

pub(super) async fn a_customer_id_is_given_once(fresh: Fresh) {
    let Fixture {
        store,
        customer,
        rows,
        ..
    } = fresh.fixture().await;
    let name = display("Fabrikam");
    let again = store.create_customer(customer, &name, &BY, NOW);
    let expected = Refusal::Exists {
        resource: "customer",
        field: "customer_id",
    };
    assert_eq!(raw::refusal(&store, again).await, expected);
    assert_eq!(
        rows.customer().await.expect("found").display_name,
        "Contoso"
    );
}

pub(super) async fn a_customer_that_is_not_there_is_not_found(fresh: Fresh) {
    let Fixture { store, .. } = fresh.fixture().await;
    let (id, name) = (customer(99), display("Nobody"));
    let expected = Refusal::NotFound {
        resource: "customer",
        id: id.to_string(),
    };
    assert_eq!(
        raw::refusal(&store, store.of(scope(id)).customer()).await,
        expected
    );
    let update = rename(&name);
    let nobody = store.of(scope(id));
    let update = nobody.update_customer(&update, None, &BY, NOW);
    assert_eq!(raw::refusal(&store, update).await, expected);
    // Nothing that belongs to a customer is an empty list for a customer that is not there.
    assert_eq!(
        raw::refusal(&store, first_users(&store, id, 9)).await,
        expected
    );
    assert_eq!(
        raw::refusal(&store, store.of(scope(id)).licenses(None, &Place::First, 9)).await,
        expected
    );
    assert_eq!(
        raw::refusal(&store, store.of(scope(id)).batches(None, &Place::First, 9)).await,
        expected
    );
    assert_eq!(
        raw::refusal(
            &store,
            store
                .of(scope(id))
                .assignments(AssignmentFilter::default(), &Place::First, 9)
        )
        .await,
        expected
    );
}

pub(super) async fn a_customer_at_another_version_is_left_alone(fresh: Fresh) {
    let Fixture {
        store,
        customer: id,
        rows,
        ..
    } = fresh.fixture().await;
    let name = display("Fabrikam");
    for stale in [0, 2, -1] {
        let update = rename(&name);
        let update = rows.update_customer(&update, Some(stale), &BY, NOW);
        let refusal = raw::refusal(&store, update).await;
        let (resource, id) = ("customer", id.to_string());
        assert_eq!(
            refusal,
            Refusal::VersionMismatch {
                resource,
                id,
                version: 1
            }
        );
    }
}
