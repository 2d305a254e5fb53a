//! The rules by which rights are given and taken away.

mod giving;

use uuid::Uuid;

use super::*;
use crate::domain::{CustomerId, Denied};

const NOW: i64 = 1_000;

fn customer(number: u128) -> CustomerId {
    CustomerId(Uuid::from_u128(number))
}

fn these(numbers: &[u128]) -> Customers {
    Customers::Listed(numbers.iter().map(|number| customer(*number)).collect())
}

fn grant(number: u128, roles: &[Role], customers: Customers, expires_at: Option<i64>) -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(number)),
        roles: Roles::of(roles),
        customers,
        expires_at,
    }
}

fn key(number: u128, expires_at: Option<i64>, revoked_at: Option<i64>) -> Key {
    Key {
        id: KeyId(Uuid::from_u128(number)),
        hash: [0; 32],
        expires_at,
        revoked_at,
        used_at: None,
        created_at: 0,
    }
}

/// A principal with a key of its own number.
fn principal(number: u128, grants: Vec<Grant>) -> Principal {
    Principal {
        id: id(number),
        kind: PrincipalKind::Key,
        name: format!("principal {number}"),
        created_at: 0,
        grants: grants.into_iter().map(|grant| (grant, 0)).collect(),
        keys: vec![key(number, None, None)],
    }
}

fn id(number: u128) -> PrincipalId {
    PrincipalId(Uuid::from_u128(number))
}

const ADMIN: u128 = 1;
const HELP: u128 = 2;
const OPERATOR: u128 = 3;
/// A global admin for some customers only, and for some time.
const LOCAL: u128 = 4;

fn directory() -> Directory {
    let local = grant(LOCAL, &[Role::GlobalAdmin], these(&[1, 2]), Some(5_000));
    let principals = [
        principal(
            ADMIN,
            vec![grant(ADMIN, &[Role::GlobalAdmin], Customers::All, None)],
        ),
        principal(
            HELP,
            vec![grant(
                HELP,
                &[Role::HelpdeskAgent],
                these(&[1]),
                Some(2_000),
            )],
        ),
        principal(
            OPERATOR,
            vec![grant(OPERATOR, &[Role::Operator], Customers::All, None)],
        ),
        principal(LOCAL, vec![local]),
    ];
    Directory::new(7, principals)
}

fn check(directory: &Directory, by: u128, change: AccessChange) -> Result<(), Forbidden> {
    let caller = directory.caller(id(by), Some(KeyId(Uuid::from_u128(by))), NOW);
    directory.check(&caller, &change, NOW)
}

fn give(to: u128, roles: &[Role], customers: Customers, end: Option<i64>) -> AccessChange {
    AccessChange::CreateGrant(id(to), grant(99, roles, customers, end), NOW)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn nobody_gives_what_they_do_not_have() {
    use Forbidden::BeyondOwnRights;
    use Role::{GlobalAdmin, HelpdeskAgent, Operator, Reader};
    let all = directory();
    for (by, change, expected) in [
        (ADMIN, give(HELP, &Role::ALL, Customers::All, None), Ok(())),
        (
            ADMIN,
            give(HELP, &[Reader], these(&[9]), Some(9_000)),
            Ok(()),
        ),
        (
            OPERATOR,
            give(HELP, &[Operator], Customers::All, None),
            Ok(()),
        ),
        (
            OPERATOR,
            give(HELP, &[Operator, Reader], Customers::All, None),
            Err(BeyondOwnRights),
        ),
        (
            OPERATOR,
            give(HELP, &[GlobalAdmin], these(&[1]), None),
            Err(BeyondOwnRights),
        ),
        (
            LOCAL,
            give(HELP, &[HelpdeskAgent, Reader], these(&[1, 2]), Some(5_000)),
            Ok(()),
        ),
        (
            LOCAL,
            give(HELP, &[Reader], these(&[1, 3]), Some(5_000)),
            Err(BeyondOwnRights),
        ),
        (
            LOCAL,
            give(HELP, &[Reader], Customers::All, Some(5_000)),
            Err(BeyondOwnRights),
        ),
        (
            LOCAL,
            give(HELP, &[Reader], these(&[1]), Some(5_001)),
            Err(BeyondOwnRights),
        ),
        (
            LOCAL,
            give(HELP, &[Reader], these(&[1]), None),
            Err(BeyondOwnRights),
        ),
        (
            HELP,
            give(OPERATOR, &[HelpdeskAgent], these(&[1]), Some(2_000)),
            Ok(()),
        ),
        (
            HELP,
            give(OPERATOR, &[Reader], these(&[1]), Some(2_000)),
            Err(BeyondOwnRights),
        ),
        // A key is worth what its principal may do.
        (
            OPERATOR,
            AccessChange::CreateKey(id(HELP), key(99, None, None)),
            Err(BeyondOwnRights),
        ),
        (
            ADMIN,
            AccessChange::CreateKey(id(HELP), key(99, None, None)),
            Ok(()),
        ),
        (
            LOCAL,
            AccessChange::CreateKey(id(HELP), key(99, None, None)),
            Ok(()),
        ),
        (
            OPERATOR,
            AccessChange::DeletePrincipal(id(HELP)),
            Err(BeyondOwnRights),
        ),
        (ADMIN, AccessChange::DeletePrincipal(id(HELP)), Ok(())),
        (
            OPERATOR,
            AccessChange::DeleteGrant(GrantId(id(HELP).0)),
            Err(BeyondOwnRights),
        ),
        (
            ADMIN,
            AccessChange::DeleteGrant(GrantId(id(HELP).0)),
            Ok(()),
        ),
        // A key that leaked is revoked by whoever sees it first.
        (OPERATOR, AccessChange::RevokeKey(KeyId(id(HELP).0)), Ok(())),
    ] {
        assert_eq!(
            check(&all, by, change.clone()),
            expected,
            "{by}: {change:?}"
        );
    }
}

#[test]
fn nobody_changes_the_own_rights() {
    let mut own = principal(
        5,
        vec![grant(5, &[Role::GlobalAdmin], Customers::All, None)],
    );
    own.keys[0].expires_at = Some(3_000);
    let all = directory().after(&AccessChange::CreatePrincipal(own), NOW);
    let own_key = |end| AccessChange::CreateKey(id(5), key(99, end, None));
    for (change, expected) in [
        (
            give(5, &[Role::Reader], these(&[1]), None),
            Err(Forbidden::OwnRights),
        ),
        (
            AccessChange::DeleteGrant(GrantId(id(5).0)),
            Err(Forbidden::OwnRights),
        ),
        (
            AccessChange::DeletePrincipal(id(5)),
            Err(Forbidden::OwnRights),
        ),
        // The own key can be replaced by one that does not outlive it.
        (own_key(Some(3_000)), Ok(())),
        (own_key(Some(3_001)), Err(Forbidden::OwnRights)),
        (own_key(None), Err(Forbidden::OwnRights)),
        (AccessChange::RevokeKey(KeyId(id(5).0)), Ok(())),
    ] {
        assert_eq!(check(&all, 5, change.clone()), expected, "{change:?}");
    }
    let tokenless = all.caller(id(5), None, NOW);
    let refused = all.check(&tokenless, &own_key(Some(2_000)), NOW);
    assert_eq!(
        refused,
        Err(Forbidden::OwnRights),
        "without having shown a key"
    );
}

#[test]
fn the_last_global_admin_stays() {
    let service = Caller::everybody();
    let removals = [
        AccessChange::DeletePrincipal(id(ADMIN)),
        AccessChange::DeleteGrant(GrantId(id(ADMIN).0)),
        AccessChange::RevokeKey(KeyId(id(ADMIN).0)),
    ];
    let everywhere = || grant(6, &[Role::GlobalAdmin], Customers::All, None);
    let token = Principal {
        kind: PrincipalKind::Token,
        keys: Vec::new(),
        ..principal(6, vec![everywhere()])
    };
    let with_key = |key| Principal {
        keys: vec![key],
        ..principal(6, vec![everywhere()])
    };
    let granted = |grant| principal(6, vec![grant]);
    for (other, can_go) in [
        (granted(everywhere()), true),
        (
            granted(grant(
                6,
                &[Role::GlobalAdmin],
                Customers::All,
                Some(NOW + 1),
            )),
            true,
        ),
        (token, true),
        (
            granted(grant(6, &[Role::GlobalAdmin], Customers::All, Some(NOW))),
            false,
        ),
        (
            granted(grant(6, &[Role::GlobalAdmin], these(&[1]), None)),
            false,
        ),
        (
            granted(grant(6, &[Role::AdminAgent], Customers::All, None)),
            false,
        ),
        (with_key(key(6, Some(NOW), None)), false),
        (with_key(key(6, None, Some(1))), false),
        (with_key(key(6, Some(NOW + 1), None)), true),
        (
            Principal {
                keys: Vec::new(),
                ..granted(everywhere())
            },
            false,
        ),
    ] {
        let all = directory().after(&AccessChange::CreatePrincipal(other.clone()), NOW);
        for removal in &removals {
            let expected = if can_go {
                Ok(())
            } else {
                Err(Forbidden::LastAdmin)
            };
            let checked = all.check(&service, removal, NOW);
            assert_eq!(checked, expected, "{removal:?} beside {other:?}");
        }
    }
    // Where there is none, as before the first is made, everything else can be changed.
    let none = Directory::new(0, [principal(2, Vec::new())]);
    let deleted = none.check(&service, &AccessChange::DeletePrincipal(id(2)), NOW);
    assert_eq!(deleted, Ok(()));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_not_there_or_too_much_is_refused() {
    use Forbidden::{NameTaken, NoGrant, NoKey, NoPrincipal, NotByKey, TooMany};
    let all = directory();
    let new = |principal| AccessChange::CreatePrincipal(principal);
    let named = |name: &str, kind| Principal {
        name: name.to_owned(),
        kind,
        keys: Vec::new(),
        ..principal(50, Vec::new())
    };
    let grants = |count: u128| {
        let one = |number| grant(number, &[Role::Reader], these(&[1]), None);
        principal(50, (0..count).map(one).collect())
    };
    let customers = |count: u128| {
        let numbers: Vec<u128> = (1..=count).collect();
        principal(50, vec![grant(1, &[Role::Reader], these(&numbers), None)])
    };
    let token = all.after(&new(named("t", PrincipalKind::Token)), NOW);
    let service = Caller::everybody();
    for (in_, change, expected) in [
        (
            &all,
            AccessChange::DeletePrincipal(id(77)),
            Err(NoPrincipal(id(77))),
        ),
        (
            &all,
            give(77, &[Role::Reader], these(&[1]), None),
            Err(NoPrincipal(id(77))),
        ),
        (
            &all,
            AccessChange::CreateKey(id(77), key(9, None, None)),
            Err(NoPrincipal(id(77))),
        ),
        (
            &all,
            AccessChange::DeleteGrant(GrantId(id(77).0)),
            Err(NoGrant(GrantId(id(77).0))),
        ),
        (
            &all,
            AccessChange::RevokeKey(KeyId(id(77).0)),
            Err(NoKey(KeyId(id(77).0))),
        ),
        (
            &all,
            new(named("principal 1", PrincipalKind::Key)),
            Err(NameTaken),
        ),
        (
            &all,
            new(named("principal 1", PrincipalKind::Token)),
            Ok(()),
        ),
        (&all, new(named("Principal 1", PrincipalKind::Key)), Ok(())),
        (
            &token,
            AccessChange::CreateKey(id(50), key(9, None, None)),
            Err(NotByKey),
        ),
        (&all, new(grants(20)), Ok(())),
        (&all, new(grants(21)), Err(TooMany("grants", 20))),
        (&all, new(customers(1_000)), Ok(())),
        (
            &all,
            new(customers(1_001)),
            Err(TooMany("customers", 1_000)),
        ),
    ] {
        assert_eq!(in_.check(&service, &change, NOW), expected, "{change:?}");
    }
    let mut full = principal(50, Vec::new());
    full.keys = (0..20).map(|number| key(number, None, None)).collect();
    let full = all.after(&new(full), NOW);
    let more = AccessChange::CreateKey(id(50), key(99, None, None));
    assert_eq!(full.check(&service, &more, NOW), Err(TooMany("keys", 20)));
    let crowd = (100..10_100).map(|number| principal(number, Vec::new()));
    let crowd = Directory::new(1, crowd);
    let more = new(named("more", PrincipalKind::Key));
    assert_eq!(
        crowd.check(&service, &more, NOW),
        Err(TooMany("principals", 10_000))
    );
}

#[test]
fn a_caller_enters_where_a_good_grant_is() {
    let all = directory();
    let help = all.caller(id(HELP), None, 1_999);
    let (assign, look) = (
        Roles::of(&[Role::HelpdeskAgent]),
        Roles::of(&[Role::Reader]),
    );
    assert_eq!(
        help.enter(customer(1), assign)
            .map(|scope| scope.customer()),
        Ok(customer(1))
    );
    assert_eq!(help.enter(customer(1), look), Err(Denied::Role));
    assert_eq!(help.enter(customer(2), assign), Err(Denied::Customer));
    assert!(!help.may_everywhere(assign), "only for one customer");
    let late = all.caller(id(HELP), None, 2_000);
    assert_eq!(
        late.enter(customer(1), assign),
        Err(Denied::Customer),
        "expired"
    );
    assert!(!late.has(assign));
    let unknown = all.caller(id(77), None, NOW);
    assert!(unknown.grants.is_empty());
}
