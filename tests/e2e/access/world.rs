//! Three customers, and callers with every role: for one customer, for all, until yesterday, and two whose
//! roles are not the same everywhere.

use seatwise_client::Code;
use seatwise_client::v1::ErrorReason;
use serde_json::{Value, json};

use super::call::{Answer, Caller, Wire};
use super::estate::{CANARY, Estate, catalogue, import, rules, text};
use super::expected::{Given, ROLES, Role, Verdict};
use crate::harness::Harness;

/// A time that a test never sees.
pub(super) const FAR: &str = "2100-01-01T00:00:00Z";

/// Somebody with grants.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) grants: Vec<Given>,
    pub(super) caller: Caller,
}

pub(super) struct World {
    pub(super) wire: Wire,
    pub(super) admin: Caller,
    pub(super) people: Vec<Person>,
    /// The customer of those who have grants for one.
    pub(super) own: Estate,
    /// A customer for whom their grants have expired.
    pub(super) lapsed: Estate,
    /// A customer for whom they have had none.
    pub(super) foreign: Estate,
    /// A customer that does not exist.
    pub(super) ghost: Estate,
}

impl World {
    pub(super) async fn make(server: &Harness) -> Self {
        server.start().await;
        let wire = Wire::to(server);
        let admin = admin(server, &wire);
        import_catalogue(&admin, 2).await;
        let mut estates = Vec::new();
        for number in 1..=3 {
            estates.push(Estate::make(&admin, number).await);
        }
        import_catalogue(&admin, 3).await;
        let rules = import(&rules());
        admin.must("CatalogueService/ImportRules", rules).await;
        for (index, estate) in estates.iter_mut().enumerate() {
            estate.furnish(&admin, index != 0).await;
        }
        let [own, lapsed, foreign] = estates.try_into().expect("three");
        let mut secrets = Vec::new();
        for (name, grants) in everybody(&own.id, &lapsed.id) {
            let secret = introduce(&admin, &name, &grants).await;
            secrets.push((name, grants, secret));
        }
        // Grants with an end expire now.
        server.stop().await;
        let expire = "UPDATE grants SET expires_at = created_at WHERE expires_at IS NOT NULL";
        server.edit_database(expire.to_owned()).await;
        server.start().await;
        let wire = Wire::to(server);
        let person = |(name, grants, secret): (String, Vec<Given>, String)| Person {
            name,
            grants,
            caller: Caller::new(&wire, &secret),
        };
        Self {
            admin: self::admin(server, &wire),
            people: secrets.into_iter().map(person).collect(),
            own,
            lapsed,
            foreign,
            ghost: Estate::ghost(4),
            wire,
        }
    }

    pub(super) fn person(&self, name: &str) -> &Person {
        let found = self.people.iter().find(|person| person.name == name);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }
}

/// Whoever has the key that the server made.
pub(super) fn admin(server: &Harness, wire: &Wire) -> Caller {
    let key = std::fs::read_to_string(server.admin_key());
    Caller::new(wire, &key.expect("the server makes a key"))
}

async fn import_catalogue(admin: &Caller, plans: usize) {
    let file = import(&catalogue(plans));
    admin.must("CatalogueService/ImportCatalogue", file).await;
}

/// Makes a principal with a key; gives what opens it.
pub(super) async fn introduce(admin: &Caller, name: &str, grants: &[Given]) -> String {
    let grants: Vec<Value> = grants.iter().map(new_grant).collect();
    let new = json!({"kind": "KIND_KEY", "name": name, "grants": grants});
    let new = admin.must("AccessService/CreatePrincipal", new).await;
    let key = json!({"principal_id": text(&new, "/principal/principalId")});
    let key = admin.must("AccessService/CreateKey", key).await;
    text(&key, "/secret")
}

/// A grant as it is asked for.
pub(super) fn new_grant(given: &Given) -> Value {
    let mut grant = json!({"roles": given.roles});
    match &given.customers {
        Some(listed) => grant["customer_ids"] = json!(listed),
        None => grant["all_customers"] = json!(true),
    }
    if !given.is_good {
        grant["expire_time"] = json!(FAR);
    }
    grant
}

/// A grant of roles for these customers; of none, for all.
pub(super) fn grant(roles: &[Role], customers: &[&str]) -> Given {
    let listed = customers.iter().map(|one| (*one).to_owned()).collect();
    Given {
        roles: roles.to_vec(),
        customers: (!customers.is_empty()).then_some(listed),
        is_good: true,
    }
}

fn expired(grant: Given) -> Given {
    Given {
        is_good: false,
        ..grant
    }
}

/// Everybody by name, with what they have.
fn everybody(own: &str, lapsed: &str) -> Vec<(String, Vec<Given>)> {
    let mut people = vec![("nobody".to_owned(), Vec::new())];
    for role in ROLES {
        people.push((format!("{role} everywhere"), vec![grant(&[role], &[])]));
        // An operator is one for all customers or not at all.
        if role == "ROLE_OPERATOR" {
            let over = vec![expired(grant(&[role], &[]))];
            people.push((format!("{role} until yesterday"), over));
            continue;
        }
        let here = vec![grant(&[role], &[own]), expired(grant(&[role], &[lapsed]))];
        people.push((format!("{role} here"), here));
        let over = vec![expired(grant(&[role], &[own]))];
        people.push((format!("{role} until yesterday"), over));
    }
    let both = vec![grant(&["ROLE_READER", "ROLE_HELPDESK_AGENT"], &[own])];
    people.push(("reader and helpdesk agent here".to_owned(), both));
    let apart = vec![
        grant(&["ROLE_READER"], &[own]),
        grant(&["ROLE_ADMIN_AGENT"], &[lapsed]),
    ];
    people.push(("reader here and admin agent there".to_owned(), apart));
    people
}

/// Checks an answer; says in a word what it was.
pub(super) fn judge(answer: &Answer, verdict: Verdict, customer: &str, what: &str) -> &'static str {
    let Some(refusal) = &answer.refusal else {
        assert_eq!(verdict, Verdict::Passes, "{what} was let in");
        return "passed";
    };
    let error = &refusal.error;
    if verdict == Verdict::Absent && error.reason == ErrorReason::InvalidToken {
        return "INVALID_TOKEN";
    }
    let (code, reason, word) = match verdict {
        Verdict::Passes => panic!("{what}: {error:?}"),
        Verdict::NotFound | Verdict::Absent => (
            Code::NotFound,
            ErrorReason::ResourceNotFound,
            "RESOURCE_NOT_FOUND",
        ),
        Verdict::Denied => (
            Code::PermissionDenied,
            ErrorReason::PermissionDenied,
            "PERMISSION_DENIED",
        ),
    };
    assert_eq!(
        (error.code, error.reason),
        (code, reason),
        "{what}: {error:?}"
    );
    if verdict == Verdict::NotFound {
        let told = (error.metadata.get("resource"), error.metadata.get("id"));
        let expected = ("customer".to_owned(), customer.to_owned());
        assert_eq!(told, (Some(&expected.0), Some(&expected.1)), "{what}");
    }
    assert!(answer.messages.is_empty(), "{what} told something first");
    assert!(!answer.told().contains(CANARY), "{what}: {}", answer.told());
    word
}
