//! Rights are given by those who have them, to others, and somebody is always left who can.

use seatwise_client::Code;
use seatwise_client::v1::ErrorReason;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Answer, Caller, Wire};
use super::estate::text;
use super::expected::Given;
use super::world::{FAR, admin, grant, introduce, new_grant};
use crate::harness::Harness;

/// A second after that.
const FARTHER: &str = "2100-01-01T00:00:01Z";
/// Rounds of two admins against each other, for each way.
const ROUNDS: usize = 6;

const GLOBAL_ADMIN: &str = "ROLE_GLOBAL_ADMIN";
const OPERATOR: &str = "ROLE_OPERATOR";
const READER: &str = "ROLE_READER";
const AUDITOR: &str = "ROLE_AUDITOR";

/// Somebody who calls, and the ids of what they have.
struct Person {
    caller: Caller,
    principal: String,
    grant: String,
    key: String,
}

impl Person {
    async fn new(caller: Caller) -> Self {
        let told = caller.must("AccessService/GetCaller", json!({})).await;
        Self {
            caller,
            principal: text(&told, "/principal/principalId"),
            grant: text(&told, "/principal/grants/0/grantId"),
            key: text(&told, "/keyId"),
        }
    }

    async fn hired(admin: &Caller, wire: &Wire, grants: &[Given]) -> Self {
        let name = Uuid::new_v4().to_string();
        let secret = introduce(admin, &name, grants).await;
        Self::new(Caller::new(wire, &secret)).await
    }

    async fn call(&self, method: &str, request: Value) -> Answer {
        let method = format!("AccessService/{method}");
        self.caller.call(&method, &request).await
    }

    async fn must(&self, method: &str, request: Value) -> Value {
        self.call(method, request).await.ok(method)
    }

    /// Each way to take all rights from somebody.
    fn removals(&self) -> [(&'static str, Value); 3] {
        [
            ("DeleteGrant", json!({"grant_id": self.grant})),
            ("DeletePrincipal", json!({"principal_id": self.principal})),
            ("RevokeKey", json!({"key_id": self.key})),
        ]
    }

    fn give(&self, given: &Given) -> Value {
        json!({"principal_id": self.principal, "grant": new_grant(given)})
    }
}

#[track_caller]
fn assert_refused(answer: &Answer, reason: ErrorReason, what: &str) {
    let refusal = answer.refusal.as_ref();
    let error = &refusal.unwrap_or_else(|| panic!("{what} was let in")).error;
    let code = match reason {
        ErrorReason::LastGlobalAdmin => Code::FailedPrecondition,
        _ => Code::PermissionDenied,
    };
    assert_eq!(
        (error.code, error.reason),
        (code, reason),
        "{what}: {error:?}"
    );
}

/// The first admin, and the way to it.
async fn first_admin(server: &Harness) -> (Wire, Person) {
    server.start().await;
    let wire = Wire::to(server);
    let admin = Person::new(admin(server, &wire)).await;
    (wire, admin)
}

pub(super) async fn nobody_changes_the_own_rights(server: &Harness) {
    let (wire, admin) = first_admin(server).await;
    let all = [grant(&[GLOBAL_ADMIN], &[])];
    let reader = grant(&[READER], &[]);
    for roles in [GLOBAL_ADMIN, OPERATOR] {
        let person = Person::hired(&admin.caller, &wire, &[grant(&[roles], &[])]).await;
        let changes = [
            ("CreateGrant", person.give(&grant(&[roles], &[]))),
            ("DeleteGrant", json!({"grant_id": person.grant})),
            ("DeletePrincipal", json!({"principal_id": person.principal})),
        ];
        for (method, request) in changes {
            let refused = person.call(method, request.clone()).await;
            assert_refused(
                &refused,
                ErrorReason::OwnRights,
                &format!("{roles}: {method}"),
            );
            let told = person.must("GetCaller", json!({})).await;
            assert_eq!(text(&told, "/principal/grants/0/grantId"), person.grant);
        }
        // Somebody else may.
        admin.must("CreateGrant", person.give(&reader)).await;
        admin
            .must("DeleteGrant", json!({"grant_id": person.grant}))
            .await;
        admin
            .must("DeletePrincipal", json!({"principal_id": person.principal}))
            .await;
    }

    // Who replaces the own key gets one that is good for no longer.
    let person = Person::hired(&admin.caller, &wire, &all).await;
    let key = |end: Option<&str>| {
        let mut key = json!({"principal_id": person.principal});
        if let Some(end) = end {
            key["expire_time"] = json!(end);
        }
        key
    };
    person.must("CreateKey", key(None)).await;
    let limited = person.must("CreateKey", key(Some(FAR))).await;
    let limited = Person::new(Caller::new(&wire, &text(&limited, "/secret"))).await;
    for end in [None, Some(FARTHER)] {
        let refused = limited.call("CreateKey", key(end)).await;
        assert_refused(&refused, ErrorReason::OwnRights, "a key that lasts longer");
    }
    limited.must("CreateKey", key(Some(FAR))).await;
}

/// A grant until a time, or for ever.
type Limited = (Given, Option<&'static str>);

pub(super) async fn nobody_gives_what_they_do_not_have(server: &Harness) {
    let (wire, admin) = first_admin(server).await;
    let mut ids = Vec::new();
    for name in ["One", "Two"] {
        let made = json!({"display_name": name});
        let made = admin.caller.must("CustomerService/CreateCustomer", made);
        ids.push(text(&made.await, "/customer/customerId"));
    }
    let (one, two) = (ids[0].as_str(), ids[1].as_str());
    let of_operator = [grant(&[OPERATOR], &[]), grant(&[READER], &[one])];
    let operator = Person::hired(&admin.caller, &wire, &of_operator).await;
    let temporary = temporary(&admin, &wire).await;
    let reader = [grant(&[READER], &[one])];
    for (giver, roles, customers, end, may) in [
        (&operator, &[OPERATOR][..], &[][..], None, true),
        (&operator, &[READER], &[one], None, true),
        (&operator, &[READER], &[one], Some(FAR), true),
        (&temporary, &[GLOBAL_ADMIN], &[], Some(FAR), true),
        (&temporary, &[AUDITOR, OPERATOR], &[], Some(FAR), true),
        (&temporary, &[READER], &[two], Some(FAR), true),
        (&admin, &[GLOBAL_ADMIN, OPERATOR, READER], &[], None, true),
        (&admin, &[AUDITOR], &[one, two], None, true),
        (&operator, &[GLOBAL_ADMIN], &[], None, false),
        (&operator, &[OPERATOR, READER], &[], None, false),
        (&operator, &[READER], &[], None, false),
        (&operator, &[READER], &[two], None, false),
        (&operator, &[READER], &[one, two], None, false),
        (&operator, &[AUDITOR], &[one], None, false),
        (&operator, &[READER, AUDITOR], &[one], None, false),
        (&temporary, &[GLOBAL_ADMIN], &[], None, false),
        (&temporary, &[GLOBAL_ADMIN], &[], Some(FARTHER), false),
        (&temporary, &[READER], &[one], None, false),
        (&temporary, &[READER], &[one], Some(FARTHER), false),
    ] {
        let given = (grant(roles, customers), end);
        let receiver = Person::hired(&admin.caller, &wire, &reader).await;
        if may {
            let what = format!("{given:?}");
            let gives = giver.call("CreateGrant", give_until(&receiver, &given));
            gives.await.ok(&what);
            let creates = giver.call("CreatePrincipal", principal_with(&given));
            creates.await.ok(&what);
        } else {
            assert_cannot_give(&admin, giver, &receiver, &given).await;
        }
    }
}

/// What is not the giver's to give is not the giver's to take either, nor to make a key for.
async fn assert_cannot_give(admin: &Person, giver: &Person, receiver: &Person, given: &Limited) {
    let grant = give_until(receiver, given);
    let refusals = [
        ("CreateGrant", grant.clone()),
        ("CreatePrincipal", principal_with(given)),
    ];
    assert_beyond(giver, refusals, given).await;
    admin.must("CreateGrant", grant).await;
    let told = receiver.must("GetCaller", json!({})).await;
    let granted = text(&told, "/principal/grants/1/grantId");
    let principal = json!({"principal_id": receiver.principal});
    let refusals = [
        ("DeleteGrant", json!({"grant_id": granted})),
        ("DeletePrincipal", principal.clone()),
        ("CreateKey", principal.clone()),
    ];
    assert_beyond(giver, refusals, given).await;
    let still = receiver.must("GetCaller", json!({})).await;
    assert_eq!(still["principal"]["grants"], told["principal"]["grants"]);
    admin.must("DeletePrincipal", principal).await;
}

async fn assert_beyond<const N: usize>(
    giver: &Person,
    refusals: [(&str, Value); N],
    given: &Limited,
) {
    for (method, request) in refusals {
        let refused = giver.call(method, request).await;
        let what = format!("{method} with {given:?}");
        assert_refused(&refused, ErrorReason::BeyondOwnRights, &what);
    }
}

/// A global admin for some time.
async fn temporary(admin: &Person, wire: &Wire) -> Person {
    let given = (grant(&[GLOBAL_ADMIN], &[]), Some(FAR));
    let made = admin.must("CreatePrincipal", principal_with(&given)).await;
    let key = json!({"principal_id": text(&made, "/principal/principalId")});
    let key = admin.must("CreateKey", key).await;
    Person::new(Caller::new(wire, &text(&key, "/secret"))).await
}

fn grant_until((given, end): &Limited) -> Value {
    let mut grant = new_grant(given);
    if let Some(end) = end {
        grant["expire_time"] = json!(end);
    }
    grant
}

fn give_until(receiver: &Person, given: &Limited) -> Value {
    json!({"principal_id": receiver.principal, "grant": grant_until(given)})
}

fn principal_with(given: &Limited) -> Value {
    let name = Uuid::new_v4().to_string();
    json!({"kind": "KIND_KEY", "name": name, "grants": [grant_until(given)]})
}

pub(super) async fn the_last_global_admin_stays(server: &Harness) {
    let (wire, admin) = first_admin(server).await;
    let operator = Person::hired(&admin.caller, &wire, &[grant(&[OPERATOR], &[])]).await;
    // Somebody who is one for a customer, or has no key, is none who could give rights to anybody.
    let made = json!({"display_name": "One"});
    let made = admin
        .caller
        .must("CustomerService/CreateCustomer", made)
        .await;
    let one = text(&made, "/customer/customerId");
    Person::hired(&admin.caller, &wire, &[grant(&[GLOBAL_ADMIN], &[&one])]).await;
    let keyless = principal_with(&(grant(&[GLOBAL_ADMIN], &[]), None));
    let keyless = admin.must("CreatePrincipal", keyless).await;

    for (caller, is_admin) in [(&admin, true), (&operator, false)] {
        for (method, request) in admin.removals() {
            let expected = match (method, is_admin) {
                ("RevokeKey", _) => ErrorReason::LastGlobalAdmin,
                (_, true) => ErrorReason::OwnRights,
                (_, false) => ErrorReason::BeyondOwnRights,
            };
            assert_refused(&caller.call(method, request).await, expected, method);
            admin.must("ListPrincipals", json!({})).await;
        }
    }

    // As soon as there is another, each of them can go in each way.
    let keyless = json!({"principal_id": text(&keyless, "/principal/principalId")});
    let key = admin.must("CreateKey", keyless).await;
    let second = Person::new(Caller::new(&wire, &text(&key, "/secret"))).await;
    for (method, request) in admin.removals() {
        let third = Person::hired(&second.caller, &wire, &[grant(&[GLOBAL_ADMIN], &[])]).await;
        let (_, of_third) = third
            .removals()
            .into_iter()
            .find(|(way, _)| *way == method)
            .expect("the same ways");
        second.must(method, of_third).await;
        if method == "RevokeKey" {
            admin.must(method, request).await;
        }
    }
    for (method, request) in second.removals() {
        let refused = second.call(method, request).await;
        assert!(refused.refusal.is_some(), "{method} of the last one");
    }
}

/// Two callers on two connections, each of whom is the only other admin.
pub(super) async fn of_two_admins_who_remove_each_other_one_stays(server: &Harness) {
    let (wire, mut one) = first_admin(server).await;
    let other_wire = Wire::to(server);
    for round in 0..ROUNDS * 3 {
        let other = Person::hired(&one.caller, &other_wire, &[grant(&[GLOBAL_ADMIN], &[])]).await;
        let way = round % 3;
        let [(method, of_one), (_, of_other)] =
            [&one, &other].map(|person| person.removals().into_iter().nth(way).expect("a way"));
        let (by_one, by_other) =
            tokio::join!(one.call(method, of_other), other.call(method, of_one));
        let stays = match (&by_one.refusal, &by_other.refusal) {
            (None, Some(_)) => one,
            (Some(_), None) => other,
            both => panic!("{method}: exactly one is done: {both:?}"),
        };
        let all = stays
            .must("ListPrincipals", json!({"page_size": 100}))
            .await;
        assert!(
            all["principals"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        );
        let refused = stays.call("RevokeKey", json!({"key_id": stays.key})).await;
        assert_refused(&refused, ErrorReason::LastGlobalAdmin, "the one that stays");
        one = Person::new(stays.caller).await;
    }
    drop(wire);
}
