//! Tokens of an issuer prove who calls: through the real client, to a server that trusts a local issuer.

use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use futures_util::future::join_all;
use seatwise_client::v1::principal::Kind;
use seatwise_client::v1::{
    CreateCustomerRequest, CreatePrincipalRequest, ErrorReason, GetCallerRequest,
    GetCustomerRequest, ListCustomersRequest, NewGrant, Principal, Role,
};
use seatwise_client::{Client, Code, Error};
use seatwise_server::server;
use serde_json::{Value, json};

use crate::colleague::for_customer;
use crate::customer::wall_clock;
use crate::harness::{Harness, on_postgres, on_sqlite};
use crate::issuer::{Answer, Issuer, SigningKey};

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "https://seats.test";
const CALLERS: usize = 50;

impl Harness {
    /// Starts the server, which trusts this issuer.
    async fn start_trusting(&self, issuer: &Issuer) {
        let issuer = server::Issuer {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            keys_url: issuer.keys_url(),
            ca: None,
        };
        self.start_configured(|config| config.issuer = Some(issuer))
            .await;
    }

    /// Makes a principal of the tokens with this subject.
    async fn subject(&self, name: &str, grants: Vec<NewGrant>) -> Principal {
        let request = CreatePrincipalRequest {
            kind: Kind::Token.into(),
            name: name.to_owned(),
            grants,
            comment: String::new(),
        };
        let created = self.client().create_principal(request).await;
        created.expect("a principal is made")
    }
}

/// Claims that are good from a minute ago for so many seconds from now.
fn claims(subject: &str, seconds: i64) -> Value {
    let now = wall_clock().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = now.as_secs().cast_signed();
    json!({
        "iss": ISSUER,
        "aud": [AUDIENCE, "https://other.test"],
        "sub": subject,
        "iat": now - 60,
        "exp": now + seconds,
    })
}

async fn who(client: &Client) -> Result<Principal, Error> {
    let caller = client.get_caller(GetCallerRequest {}).await?;
    assert_eq!(caller.key_id, "");
    Ok(caller.principal.expect("everybody is somebody"))
}

async fn a_token_proves_who_calls_and_grants_say_what_they_may_do(server: &Harness) {
    let key = SigningKey::rsa("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    server.start_trusting(&issuer).await;
    let theirs = server.customer().await;
    let grant = for_customer(Role::Reader, &theirs.id, None);
    let ada = server.subject("ada@issuer", vec![grant]).await;

    let client = server.client_with(&key.token(&claims("ada@issuer", 600)));
    assert_eq!(who(&client).await.expect("ada"), ada);
    let get = async |client: &Client, id: &str| {
        let customer_id = id.to_owned();
        let read = client
            .get_customer(GetCustomerRequest { customer_id })
            .await;
        read.map(|_| ()).map_err(|error| error.code)
    };
    assert_eq!(get(&client, &theirs.id).await, Ok(()));
    let refused = client
        .create_customer(CreateCustomerRequest::default())
        .await;
    assert_eq!(
        refused.expect_err("a reader").reason,
        ErrorReason::PermissionDenied
    );

    // Somebody whom the issuer knows, and nobody here. The subject counts byte by byte.
    for name in ["eve@issuer", "Ada@issuer"] {
        let client = server.client_with(&key.token(&claims(name, 600)));
        let stranger = who(&client).await.expect("a stranger");
        assert_eq!(
            (stranger.principal_id.as_str(), stranger.name.as_str()),
            ("", name)
        );
        assert_eq!(get(&client, &theirs.id).await, Err(Code::PermissionDenied));
        let refused = client.list_customers(ListCustomersRequest::default()).await;
        let reason = refused.expect_err("without a grant").reason;
        assert_eq!(reason, ErrorReason::PermissionDenied);
    }
}

async fn what_is_no_good_token_is_refused(server: &Harness) {
    let key = SigningKey::p256("key");
    let attacker = SigningKey::p256("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    server.start_trusting(&issuer).await;
    server.subject("ada", Vec::new()).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims("ada", 600);
        claims[name] = value;
        key.token(&claims)
    };
    let none = json!({"alg": "none", "kid": "key"}).to_string();
    let good = key.token(&claims("ada", 600));
    for (token, problem) in [
        (key.token(&claims("ada", -60)), "expired"),
        (key.token(&claims("ada", 7_200)), "invalid"),
        (attacker.token(&claims("ada", 600)), "invalid"),
        (
            SigningKey::p256("other").token(&claims("ada", 600)),
            "invalid",
        ),
        (with("iss", json!("https://issuer.test/")), "invalid"),
        (with("aud", json!("https://other.test")), "invalid"),
        (with("sub", json!("")), "invalid"),
        (key.sign(&none, &claims("ada", 600).to_string()), "invalid"),
        (format!("{good}A"), "invalid"),
        ("token".to_owned(), "invalid"),
    ] {
        let error = who(&server.client_with(&token)).await.expect_err(&token);
        let told = error.metadata.get("problem").map(String::as_str);
        assert_eq!(
            (error.code, told),
            (Code::Unauthenticated, Some(problem)),
            "{error}"
        );
        assert_eq!(error.reason, ErrorReason::Unauthenticated);
    }
    who(&server.client_with(&good)).await.expect("a good one");
}

async fn an_issuer_that_is_away_is_said_and_keys_are_good_all_the_same(server: &Harness) {
    let key = SigningKey::ed25519("key");
    let issuer = Issuer::start(Answer::status("503 Away", "")).await;
    server.start_trusting(&issuer).await;
    server.subject("ada", Vec::new()).await;
    let client = server.client_with(&key.token(&claims("ada", 600)));
    let error = who(&client).await.expect_err("nobody can tell");
    assert_eq!(
        (error.code, error.reason),
        (Code::Unavailable, ErrorReason::IssuerUnavailable)
    );
    assert!(error.retry_after.is_some(), "{error}");
    issuer.answer(Answer::keys(&[key.public()]));
    let asked = issuer.asked();
    issuer.was_asked(asked + 1).await;
    while who(&client).await.is_err() {
        tokio::task::yield_now().await;
    }
}

async fn a_stream_ends_with_the_token_of_its_caller(server: &Harness) {
    let key = SigningKey::p256("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    server.start_trusting(&issuer).await;
    let customer = server.customer_with_users(1).await;
    let grant = for_customer(Role::Reader, &customer.id, None);
    server.subject("ada", vec![grant]).await;
    // It counts for a minute more than it says.
    let client = server.client_with(&key.token(&claims("ada", -57)));
    let mut watch = client.watch(customer.changes_after(""));
    watch.begun().await.expect("a watch");
    let error = loop {
        if let Err(error) = watch.next().await {
            break error;
        }
    };
    assert_eq!(
        (error.code, error.reason),
        (Code::Unauthenticated, ErrorReason::Unauthenticated)
    );
    assert_eq!(error.metadata["problem"], "expired");
}

async fn no_call_fails_while_the_issuer_rolls_its_key(server: &Harness) {
    let (old, new) = (SigningKey::p256("old"), SigningKey::p256("new"));
    let issuer = Issuer::start(Answer::keys(&[old.public()])).await;
    server.start_trusting(&issuer).await;
    server.subject("ada", Vec::new()).await;
    // What the issuer gives to whoever asks it for a token.
    let given = Arc::new(Mutex::new(old.token(&claims("ada", 600))));
    let calling = (0..CALLERS).map(|_| {
        let token = Arc::clone(&given);
        let source = move || {
            let token = token.lock().expect("not poisoned").clone();
            async move { Ok(token) }
        };
        let builder = Client::builder(server.endpoint()).token_source(source);
        builder.build().expect("an address makes an endpoint")
    });
    let calling: Vec<Client> = calling.collect();
    let calls = async |of: &[Client]| {
        for result in join_all(of.iter().map(who)).await {
            assert_eq!(result.expect("no call fails").name, "ada");
        }
    };
    calls(&calling).await;
    assert_eq!(issuer.asked(), 1);
    // The old key is gone at once: clients that still show its tokens ask for others.
    let roll = async {
        issuer.answer(Answer::keys(&[new.public()]));
        *given.lock().expect("not poisoned") = new.token(&claims("ada", 600));
        issuer.was_asked(2).await;
    };
    let load = async {
        while issuer.asked() < 2 {
            let fresh = server.client_with(&given.lock().expect("not poisoned").clone());
            tokio::join!(calls(&calling), calls(std::slice::from_ref(&fresh)));
        }
    };
    tokio::join!(load, roll);
    calls(&calling).await;
}

on_sqlite![
    a_token_proves_who_calls_and_grants_say_what_they_may_do,
    what_is_no_good_token_is_refused,
    an_issuer_that_is_away_is_said_and_keys_are_good_all_the_same,
    a_stream_ends_with_the_token_of_its_caller,
    no_call_fails_while_the_issuer_rolls_its_key,
];
// Engines differ in who is stored, and in nothing of tokens.
on_postgres![a_token_proves_who_calls_and_grants_say_what_they_may_do,];
