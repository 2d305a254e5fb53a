//! What the ids of one customer's things are worth at another customer: nothing.

use std::sync::Arc;

use uuid::Uuid;

use super::engine::Fresh;
use super::fixture::{
    BY, Fixture, NOW, OFFICE, assign, by_id, by_name, customer, display, later, name_of, user,
};
use super::raw;
use crate::domain::{Place, Selection, SelectionId, SelectionPart, UserFilter, UserOrder};
use crate::store::{
    AssignmentFilter, Batch, CustomerUpdate, Error, HistoryFilter, NewBatch, Refusal, Retry,
    Revert, Subject, UserUpdate, Users, Written,
};

/// A customer whose batch of 70 users has done its first chunk, and another one that has nothing.
async fn two_customers(fresh: Fresh) -> (Fixture, Batch, Fixture) {
    let here = fresh.fixture().await;
    here.enable_seats(OFFICE, 100).await;
    let users = here.create_users(1..=70).await;
    let batch = here
        .accept(&here.request(1, &users, assign(&[OFFICE])))
        .await;
    here.write(here.chunk(&batch, 0).await).await;
    here.freeze(SELECTION, everybody(), NOW)
        .await
        .expect("frozen");
    let there = here.of(customer(2));
    let (store, name) = (&there.store, display("Fabrikam"));
    let created = store.create_customer(there.customer, &name, &BY, NOW);
    created.await.expect("created");
    (here, batch, there)
}

const SELECTION: SelectionId = SelectionId(Uuid::from_u128(7));

fn everybody() -> Selection {
    Selection {
        parts: vec![SelectionPart::Filter(UserFilter::default())],
        except: Vec::new(),
    }
}

fn assert_not_found<T: std::fmt::Debug>(outcome: Result<T, Error>, what: &str) {
    match outcome {
        Err(Error::Refused(Refusal::NotFound { resource, .. })) => assert_eq!(resource, what),
        other => panic!("{what}: {other:?}"),
    }
}

pub(super) async fn ids_of_another_customer_read_nothing(fresh: Fresh) {
    let (_, batch, there) = two_customers(fresh).await;
    let (rows, id) = (&there.rows, batch.batch_id);
    for one in [by_id(user(1)), by_name(&name_of(1))] {
        assert_not_found(rows.user(&one).await, "user");
    }
    assert_not_found(rows.user_then(user(1), later(1)).await, "user");
    assert_not_found(rows.license(OFFICE).await, "license");
    assert_not_found(rows.batch(id).await, "batch");
    assert_not_found(rows.batch_origin(id).await, "batch");
    assert_not_found(rows.selection(SELECTION, NOW).await, "selection");
    let frozen = rows.frozen_users(SELECTION, &Place::First, 9, NOW).await;
    assert_not_found(frozen, "selection");
    let part = Selection {
        parts: vec![SelectionPart::Frozen(SELECTION)],
        except: Vec::new(),
    };
    let holdings = rows.summarize(&part, true, NOW).await;
    assert_not_found(holdings, "selection");
    let failed = UserFilter {
        failed_in: Some(id),
        ..UserFilter::default()
    };
    let failed = rows.users(&failed, UserOrder::Id, &Place::First, 9).await;
    assert_not_found(failed, "batch");
    for (subject, what) in [
        (Subject::User(user(1)), "user"),
        (Subject::License(OFFICE), "license"),
        (Subject::Batch(id), "batch"),
    ] {
        let filter = HistoryFilter {
            subject,
            kinds: Vec::new(),
            from: None,
            until: None,
        };
        assert_not_found(rows.history(&filter, None, 9).await, what);
    }
    assert!(rows.batch_chunk(id, 0).await.is_err());
    assert!(rows.batch_tally(id).await.is_err());
    assert_eq!(rows.batch_results(id, 0, 9).await.expect("none"), []);
    let of_user = AssignmentFilter {
        user: Some(user(1)),
        product: None,
    };
    let held = rows.assignments(of_user, &Place::First, 9).await;
    assert_eq!(held.expect("none"), []);
}

pub(super) async fn ids_of_another_customer_change_nothing(fresh: Fresh) {
    let (here, batch, there) = two_customers(fresh).await;
    let before = raw::contents(&here.store).await;
    let (rows, id, one) = (&there.rows, batch.batch_id, by_id(user(1)));
    let update = UserUpdate {
        active: Some(false),
        ..UserUpdate::default()
    };
    let updated = rows.update_user(&one, &update, None, &BY, NOW).await;
    assert_not_found(updated, "user");
    assert_not_found(rows.delete_user(&one, None, &BY, NOW).await, "user");
    assert_not_found(rows.cancel_batch(id, &BY, NOW).await, "batch");
    let deleted = rows.delete_selection(SELECTION, &BY, NOW).await;
    deleted.expect("it is not there, as it is to be");
    let claimed = rows.claim_batch(id, later(9_999), later(9_999)).await;
    assert_eq!(claimed.expect("asked"), None);
    rows.release_batch(id, 1, NOW).await.expect("nothing to do");
    let chunk = Arc::new(here.chunk(&batch, 64).await);
    let written = rows.write_chunk(chunk.clone(), here.decision(&chunk)).await;
    assert!(!matches!(written, Ok(Written::Done(_))), "{written:?}");
    for users in [
        Users::Reverted(Revert {
            batch: id,
            takes_safe_part: false,
        }),
        Users::Retried(Retry {
            batch: id,
            with_skipped: true,
        }),
    ] {
        let request = NewBatch {
            users,
            changes: Vec::new(),
            ..there.request(2, &[], assign(&[OFFICE]))
        };
        assert_not_found(there.try_accept(&request).await, "batch");
    }
    assert_eq!(rows.prune_results(later(9_999)).await.expect("none"), None);
    assert_eq!(raw::contents(&here.store).await, before);

    // Nor does a change of the customer itself.
    let rename = CustomerUpdate {
        display_name: Some(display("Tailspin")),
        ..CustomerUpdate::default()
    };
    let renamed = rows.update_customer(&rename, None, &BY, NOW).await;
    assert_eq!(renamed.expect("renamed").customer_id, there.customer);
    let mine = here.rows.customer().await.expect("found");
    assert_eq!((mine.display_name.as_str(), mine.version), ("Contoso", 1));
}
