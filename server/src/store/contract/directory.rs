//! Principals, grants and keys as stored. By which rules they change is tested in the domain.

use std::sync::Arc;

use uuid::Uuid;

use super::engine::Fresh;
use super::fixture::{BY, Fixture, NOW, customer, later, scope};
use super::overlap::Overlap;
use crate::domain::{
    AccessChange, Caller, Customers, Directory, Forbidden, Grant, GrantId, INSTALLATION, Key,
    KeyId, Principal, PrincipalId, PrincipalKind, Record, Role, Roles,
};
use crate::store::{Error, HistoryFilter, Refusal, Store, Subject};

fn id(number: u128) -> PrincipalId {
    PrincipalId(Uuid::from_u128(number))
}

fn grant(number: u128, roles: &[Role], customers: Customers, expires_at: Option<i64>) -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(number)),
        roles: Roles::of(roles),
        customers,
        expires_at,
    }
}

fn key(number: u128) -> Key {
    Key {
        id: KeyId(Uuid::from_u128(number)),
        hash: [u8::try_from(number).expect("small"); 32],
        expires_at: None,
        revoked_at: None,
        used_at: None,
        created_at: NOW.0 + number as i64,
    }
}

/// Somebody with everything that there is to store.
pub(super) fn principal(number: u128, kind: PrincipalKind, grants: &[Grant]) -> Principal {
    Principal {
        id: id(number),
        kind,
        name: format!("Princípal {number}"),
        created_at: NOW.0,
        grants: grants.iter().map(|grant| (grant.clone(), NOW.0)).collect(),
        keys: Vec::new(),
    }
}

pub(super) fn admin(number: u128) -> Principal {
    let everything = grant(number, &[Role::GlobalAdmin], Customers::All, None);
    Principal {
        keys: vec![key(number)],
        ..principal(number, PrincipalKind::Key, &[everything])
    }
}

pub(super) async fn change(store: &Store, change: AccessChange) -> Result<Directory, Error> {
    store
        .change_access(&Caller::everybody(), &change, &BY, later(1))
        .await
}

fn all(directory: &Directory) -> Vec<Principal> {
    directory.principals().cloned().collect()
}

pub(super) async fn who_may_do_what_is_read_back_as_it_was_written(fresh: Fresh) {
    let Fixture {
        store,
        customer: mine,
        ..
    } = fresh.fixture().await;
    let empty = store.directory().await.expect("read");
    assert!(all(&empty).is_empty());
    let listed = Customers::Listed([mine].into());
    let several = [
        grant(11, &Role::ALL, Customers::All, None),
        grant(12, &[Role::Reader], listed.clone(), Some(NOW.0 + 5)),
    ];
    let principals = [
        admin(1),
        principal(2, PrincipalKind::Token, &several),
        principal(3, PrincipalKind::Certificate, &[]),
    ];
    for (step, new) in principals.iter().enumerate() {
        let made = change(&store, AccessChange::CreatePrincipal(new.clone())).await;
        let made = made.expect("created");
        assert_eq!(made.version, empty.version + 1 + step as i64);
        assert_eq!(all(&made), principals[..=step]);
        let version = store.access_version().await.expect("a version");
        assert_eq!(version, made.version);
    }
    let mut expected = principals.to_vec();
    let second = grant(13, &[Role::Auditor, Role::Operator], Customers::All, None);
    let given = AccessChange::CreateGrant(id(3), second.clone(), NOW.0 + 7);
    expected[2].grants.push((second, NOW.0 + 7));
    expected[0].keys.push(key(9));
    for made in [given, AccessChange::CreateKey(id(1), key(9))] {
        change(&store, made).await.expect("made");
    }
    let read = store.directory().await.expect("read");
    assert_eq!(all(&read), expected);

    expected[1].grants.remove(0);
    expected[0].keys[0].revoked_at = Some(later(1).0);
    for gone in [
        AccessChange::DeleteGrant(GrantId(Uuid::from_u128(11))),
        AccessChange::RevokeKey(KeyId(Uuid::from_u128(1))),
        AccessChange::DeletePrincipal(id(3)),
    ] {
        change(&store, gone).await.expect("gone");
    }
    expected.pop();
    let read = store.directory().await.expect("read");
    assert_eq!(all(&read), expected);
    // The second revocation leaves the time of the first.
    let again = AccessChange::RevokeKey(KeyId(Uuid::from_u128(1)));
    let again = store
        .change_access(&Caller::everybody(), &again, &BY, later(9))
        .await;
    assert_eq!(all(&again.expect("revoked")), expected);
}

#[expect(
    clippy::too_many_lines,
    reason = "a list of changes and one of records"
)]
pub(super) async fn a_change_of_rights_is_recorded_without_names(fresh: Fresh) {
    let Fixture {
        store,
        customer: mine,
        ..
    } = fresh.fixture().await;
    let listed = grant(
        11,
        &[Role::Reader],
        Customers::Listed([mine].into()),
        Some(NOW.0 + 5),
    );
    let mut new = admin(1);
    new.grants.push((listed.clone(), NOW.0));
    let before = store
        .of(scope(INSTALLATION))
        .checkpoint()
        .await
        .expect("an end")
        .position;
    let changes = [
        AccessChange::CreatePrincipal(new),
        AccessChange::DeleteGrant(listed.id),
        AccessChange::CreateKey(id(1), key(9)),
        AccessChange::RevokeKey(key(9).id),
        // Once more changes nothing.
        AccessChange::RevokeKey(key(9).id),
        AccessChange::CreatePrincipal(principal(2, PrincipalKind::Token, &[])),
        AccessChange::DeletePrincipal(id(2)),
    ];
    for made in changes {
        change(&store, made).await.expect("changed");
    }
    let filter = HistoryFilter {
        subject: Subject::Everything,
        kinds: Vec::new(),
        from: None,
        until: None,
    };
    let journal = store.of(scope(INSTALLATION));
    let history = journal.history(&filter, None, 100).await;
    let mut recorded = history.expect("a page");
    recorded.retain(|record| record.seq > before);
    recorded.reverse();
    let access = recorded.iter().map(|recorded| match &recorded.record {
        Record::Access(record) => record.clone(),
        other => panic!("{other:?}"),
    });
    let access: Vec<_> = access.collect();
    let told: Vec<_> = access
        .iter()
        .map(|one| (one.kind, one.principal, one.thing))
        .collect();
    let uuid = Uuid::from_u128;
    let expected = [
        (1, 1, 1),
        (3, 1, 1),
        (3, 1, 11),
        (5, 1, 1),
        (4, 1, 11),
        (5, 1, 9),
        (6, 1, 9),
        (1, 2, 2),
        (2, 2, 2),
    ];
    assert_eq!(
        told,
        expected.map(|(kind, of, thing)| (kind, id(of), uuid(thing)))
    );
    let (given, taken) = (&access[2], &access[4]);
    assert_eq!(
        (given.roles, &given.customers),
        (listed.roles, &listed.customers)
    );
    assert_eq!(given.expires_at, listed.expires_at);
    assert_eq!(
        (taken.roles, &taken.customers),
        (listed.roles, &listed.customers)
    );
    let part = store
        .of(scope(INSTALLATION))
        .journal(before, 1_000)
        .await
        .expect("a part");
    let bytes: Vec<u8> = part
        .records
        .into_iter()
        .flat_map(|one| one.details)
        .collect();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("Princ"), "a name is in the journal");
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) async fn a_change_of_rights_that_is_refused_changes_nothing(fresh: Fresh) {
    let Fixture { store, .. } = fresh.fixture().await;
    change(&store, AccessChange::CreatePrincipal(admin(1)))
        .await
        .expect("created");
    let before = store.directory().await.expect("read");
    let head = store
        .of(scope(INSTALLATION))
        .checkpoint()
        .await
        .expect("an end");
    let nowhere = Customers::Listed([customer(77)].into());
    let for_nobody = grant(11, &[Role::Reader], nowhere, None);
    let missing = |resource, number: u128| Refusal::NotFound {
        resource,
        id: Uuid::from_u128(number).to_string(),
    };
    let mut named = admin(2);
    named.name = admin(1).name;
    let stranger = principal(3, PrincipalKind::Token, std::slice::from_ref(&for_nobody));
    for (refused, expected) in [
        (
            AccessChange::CreateGrant(id(1), for_nobody, 0),
            missing("customer", 77),
        ),
        (
            AccessChange::CreatePrincipal(stranger),
            missing("customer", 77),
        ),
        (
            AccessChange::DeletePrincipal(id(9)),
            missing("principal", 9),
        ),
        (
            AccessChange::DeleteGrant(GrantId(id(9).0)),
            missing("grant", 9),
        ),
        (AccessChange::RevokeKey(KeyId(id(9).0)), missing("key", 9)),
        (
            AccessChange::CreatePrincipal(named),
            Refusal::Exists {
                resource: "principal",
                field: "name",
            },
        ),
        (
            AccessChange::DeletePrincipal(id(1)),
            Refusal::Forbidden(Forbidden::LastAdmin),
        ),
    ] {
        let error = change(&store, refused).await.expect_err("refused");
        let Error::Refused(refusal) = error else {
            panic!("{error}");
        };
        assert_eq!(refusal, expected);
    }
    // What a caller may do is read again: this one was everything when it came.
    let mut fallen = Caller::everybody();
    fallen.principal = id(77);
    let give = AccessChange::CreatePrincipal(admin(5));
    let refused = store.change_access(&fallen, &give, &BY, NOW).await;
    let beyond = Refusal::Forbidden(Forbidden::BeyondOwnRights);
    assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal == beyond));
    let after = store.directory().await.expect("read");
    assert_eq!((after.version, all(&after)), (before.version, all(&before)));
    let end = store
        .of(scope(INSTALLATION))
        .checkpoint()
        .await
        .expect("an end");
    assert_eq!(end, head);
}

pub(super) async fn two_admins_who_remove_each_other_leave_one(fresh: Fresh) {
    const ROUNDS: u128 = 20;
    let Fixture { store, .. } = fresh.fixture().await;
    let overlap = Arc::new(Overlap::default());
    let remover = |by: u128, victim: u128| {
        let (store, overlap) = (store.clone(), overlap.clone());
        tokio::spawn(async move {
            let directory = store.directory().await.expect("read");
            let caller = directory.caller(id(by), None, NOW.0);
            let change = AccessChange::DeletePrincipal(id(victim));
            let removing = store.change_access(&caller, &change, &BY, NOW);
            overlap.during(removing).await.is_ok()
        })
    };
    for round in 0..ROUNDS {
        let known = store.directory().await.expect("read");
        for number in [round * 2 + 1, round * 2 + 2] {
            change(&store, AccessChange::CreatePrincipal(admin(number)))
                .await
                .expect("created");
        }
        for one in known.principals() {
            change(&store, AccessChange::DeletePrincipal(one.id))
                .await
                .expect("deleted");
        }
        let (first, second) = (round * 2 + 1, round * 2 + 2);
        let (one, other) = tokio::join!(remover(first, second), remover(second, first));
        let removed = [one.expect("no panic"), other.expect("no panic")];
        assert_eq!(
            removed.iter().filter(|removed| **removed).count(),
            1,
            "round {round}"
        );
        let left = store.directory().await.expect("read");
        assert_eq!(left.principals().count(), 1);
    }
    overlap.assert_happened();
}

pub(super) async fn the_use_of_a_key_is_noted_and_never_goes_back(fresh: Fresh) {
    let Fixture { store, .. } = fresh.fixture().await;
    let made = change(&store, AccessChange::CreatePrincipal(admin(1)))
        .await
        .expect("created");
    let used = async || {
        let read = store.directory().await.expect("read");
        let (_, key) = read.key(key(1).id).expect("the key");
        (read.version, key.used_at)
    };
    for (at, expected) in [(5, 5), (3, 5), (5, 5), (9, 9)] {
        store.note_use(key(1).id, later(at)).await.expect("noted");
        assert_eq!(used().await, (made.version, Some(later(expected).0)));
    }
    store
        .note_use(key(7).id, NOW)
        .await
        .expect("a key that is gone is left alone");
}
