//! Keys: good as they were made, until they expire or are revoked, and in no other form.

use seatwise_client::Code;
use seatwise_client::v1::ErrorReason;
use serde_json::json;

use super::call::{Answer, Caller, Method, Wire};
use super::estate::text;
use super::matrix::assert_same;
use super::world::{FAR, admin, grant, introduce};
use crate::harness::{Engine, Harness};

/// Checks that a call was refused because nobody knows who makes it; gives what was wrong.
pub(super) fn assert_unauthenticated(answer: &Answer, what: &str) -> String {
    let refusal = answer.refusal.as_ref();
    let error = &refusal.unwrap_or_else(|| panic!("{what} was let in")).error;
    let told = (error.code, error.reason);
    let expected = (Code::Unauthenticated, ErrorReason::Unauthenticated);
    assert_eq!(told, expected, "{what}: {error:?}");
    assert!(answer.messages.is_empty(), "{what} told something first");
    error.metadata["problem"].clone()
}

pub(super) async fn a_key_is_good_only_as_it_was_made(server: &Harness) {
    server.start().await;
    let wire = Wire::to(server);
    let admin_before = admin(server, &wire);
    let reader = [grant(&["ROLE_READER"], &[])];
    let good = introduce(&admin_before, "good", &reader).await;
    let expired = introduce(&admin_before, "expired", &reader).await;
    let revoked = introduce(&admin_before, "revoked", &reader).await;
    let id = key_id(&Caller::new(&wire, &revoked)).await;
    let revoke = json!({"key_id": id});
    admin_before.must("AccessService/RevokeKey", revoke).await;
    let id = key_id(&Caller::new(&wire, &expired)).await.replace('-', "");
    server.stop().await;
    let key = match server.engine() {
        Engine::Sqlite => format!("x'{id}'"),
        Engine::Postgres => format!("'{id}'::uuid"),
    };
    let expire = format!("UPDATE api_keys SET expires_at = created_at WHERE key_id = {key}");
    server.edit_database(expire).await;
    server.start().await;

    let wire = Wire::to(server);
    let caller = Method::of("AccessService/GetCaller");
    let ask = async |shown: &[&str]| wire.call(shown, caller, &json!({})).await;
    for (shown, problem) in [(&expired, "expired"), (&revoked, "revoked")] {
        let shown = format!("Bearer {shown}");
        let told = assert_unauthenticated(&ask(&[&shown]).await, problem);
        assert_eq!(told, problem);
    }
    assert_eq!(
        assert_unauthenticated(&ask(&[]).await, "nothing"),
        "missing"
    );

    // Whatever is not a key is refused in the same words.
    let reference = ask(&["Bearer nonsense"]).await;
    for shown in not_keys(&good, &revoked) {
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let what = format!("{shown:.200?}");
        let answer = ask(&shown).await;
        assert_eq!(assert_unauthenticated(&answer, &what), "invalid");
        assert_same(&answer, &reference, ("", ""), &what);
    }

    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = ask(&[&format!("{scheme} {good}")]).await;
        answer.ok(scheme);
    }
}

/// Values of `authorization` that prove nothing, all made of a good key and one that was.
fn not_keys(good: &str, revoked: &str) -> Vec<Vec<String>> {
    let (start, secret) = good.rsplit_once('_').expect("a key has three parts");
    let (_, id) = start.split_once('_').expect("a key has three parts");
    let last = if secret.ends_with('0') { '1' } else { '0' };
    let wrong_secret = format!("{start}_{}{last}", &secret[..63]);
    let unknown_id = format!("seatwise_{:032x}_{secret}", 7);
    let (_, other_secret) = revoked.rsplit_once('_').expect("a key has three parts");
    let keys = [
        wrong_secret,
        unknown_id,
        format!("{start}_{other_secret}"),
        format!("{start}_{:064}", 0),
        format!("{start}_{}", secret.to_uppercase()),
        format!("seatwise_{}_{secret}", id.to_uppercase() + "A"),
        format!("{start}_{}", &secret[1..]),
        format!("{good}0"),
        format!("{start}_"),
        format!("seatwise__{secret}"),
        format!("seatwise_{secret}_{id}"),
        format!("seatwise_{id}{secret}"),
        "seatwise_".to_owned(),
        "seatwise__".to_owned(),
        "_".to_owned(),
        format!("SEATWISE_{id}_{secret}"),
        format!("seatwise-{id}-{secret}"),
        id.to_owned(),
        secret.to_owned(),
        format!(" {good}"),
        format!("{good},{good}"),
        format!("{good} {good}"),
        format!("{start}_{}", "f".repeat(10 * 1024)),
        "x".repeat(10 * 1024),
        "e30.e30.e30".to_owned(),
        String::new(),
    ];
    let bearer = keys.into_iter().map(|key| vec![format!("Bearer {key}")]);
    let bearer_good = format!("Bearer {good}");
    let others = [
        vec![good.to_owned()],
        vec![format!("Basic {good}")],
        vec![format!("Bearer{good}")],
        vec![format!("Bearer:{good}")],
        vec!["Bearer".to_owned()],
        vec![String::new()],
        vec![bearer_good.clone(), bearer_good.clone()],
        vec![bearer_good.clone(), "Bearer nonsense".to_owned()],
        vec!["Bearer nonsense".to_owned(), bearer_good],
    ];
    bearer.chain(others).collect()
}

async fn key_id(caller: &Caller) -> String {
    let told = caller.must("AccessService/GetCaller", json!({})).await;
    text(&told, "/keyId")
}

/// A key is replaced without a gap, and the old one is worth nothing from the next call on.
pub(super) async fn several_keys_are_good_at_once(server: &Harness) {
    server.start().await;
    let wire = Wire::to(server);
    let admin = admin(server, &wire);
    let first = introduce(&admin, "twice", &[grant(&["ROLE_READER"], &[])]).await;
    let first = Caller::new(&wire, &first);
    let told = first.must("AccessService/GetCaller", json!({})).await;
    let principal = text(&told, "/principal/principalId");
    let another = json!({"principal_id": principal, "expire_time": FAR});
    let second = admin.must("AccessService/CreateKey", another).await;
    let second = Caller::new(&wire, &text(&second, "/secret"));
    let both = [key_id(&first).await, key_id(&second).await];
    assert_ne!(both[0], both[1]);

    let revoke = json!({"key_id": both[0]});
    admin.must("AccessService/RevokeKey", revoke).await;
    let refused = first.call("AccessService/GetCaller", &json!({})).await;
    assert_eq!(assert_unauthenticated(&refused, "the old key"), "revoked");
    assert_eq!(key_id(&second).await, both[1]);

    // Neither the hash nor the secret is ever told again.
    let shown = json!({"principal_id": principal});
    let shown = admin.call("AccessService/GetPrincipal", &shown).await;
    assert!(!shown.told().contains("seatwise_"), "{}", shown.told());

    let delete = json!({"principal_id": principal});
    admin.must("AccessService/DeletePrincipal", delete).await;
    let refused = second.call("AccessService/GetCaller", &json!({})).await;
    assert_eq!(assert_unauthenticated(&refused, "nobody's key"), "invalid");
}
