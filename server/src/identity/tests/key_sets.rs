//! Key sets that say nothing, or too much, each beside one that is like it and good.

use std::time::Duration;

use serde_json::{Value, json};

use super::issuer::{Answer, Issuer, SigningKey, encode};
use super::{NEVER, claims, config, verifier, verify};
use crate::identity::key_set::Waits;
use crate::identity::{Problem, Rejected, Verifier};

const KEYS_UNAVAILABLE: Rejected = Rejected::KeysUnavailable;
const NO_KEY: Rejected = Rejected::Invalid("signed by no key of the issuer");
const NOT_SIGNED: Rejected = Rejected::Invalid("not signed by its key");
/// The modulus of an RSA key of 1,024 bits.
const WEAK: &str = "ubTwgyHkH_iPLFpIcKRQVLqYy7xTidzJzbxd1Ef5t_XKhG7IBQlqnSjf1zU6SBWr5Kx2kmxrpwj5u5xUVY1MOV2U0\
                    OHCv2TGq3y4E2VzqCWrNYEimrweKF7KwkSslPzTAgqUNZ-87v4a0XfWu8lJAp-OPCWXJZKS_oI2iLqdgdk";

/// What the issuer answers instead of its keys, and an answer that is like it and good.
type Case = (&'static str, Answer, Answer);

/// The keys as they are told, in JSON, padded to this length.
fn padded(key: &Value, length: usize) -> String {
    let text = json!({ "keys": [key] }).to_string();
    text + &" ".repeat(length)
}

fn answers(key: &Value, elsewhere: &str) -> Vec<Case> {
    let good = || Answer::keys(std::slice::from_ref(key));
    let ok = |text: &str| Answer::ok(text);
    let raw = |text: &str| Answer::Bytes(text.into());
    let body = json!({ "keys": [key] }).to_string();
    let others = |count: usize| {
        let others = (1..count).map(|index| json!({"kty": "oct", "kid": index.to_string()}));
        Answer::keys(&others.chain([key.clone()]).collect::<Vec<Value>>())
    };
    let of_bytes = |bytes: usize| Answer::ok(padded(key, bytes - body.len()));
    let chunk = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n",
        body.len()
    );
    let lots = format!("10000\r\n{}\r\n", " ".repeat(65_536));
    let found = format!("302 Found\r\nlocation: {elsewhere}");
    let length = |more: usize| {
        let length = body.len() + more;
        raw(&format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    let head = |bytes: usize| {
        let line = format!("200 OK\r\nx-line: {}", "x".repeat(bytes));
        Answer::status(&line, &body)
    };
    vec![
        ("500", Answer::status("500 Oops", &body), good()),
        ("404", Answer::status("404 Not Found", &body), good()),
        (
            "201",
            Answer::status("201 Created", &body),
            Answer::status("200 Fine", &body),
        ),
        ("another address", Answer::status(&found, ""), good()),
        (
            "the same, with the keys",
            Answer::status(&found, &body),
            good(),
        ),
        ("nothing", raw(""), good()),
        ("rubbish", raw("\u{1}\u{2}\u{3} rubbish\r\n\r\n"), good()),
        ("half an answer", raw("HTTP/1.1 200 OK\r\ncontent-"), good()),
        ("less than it says", length(1), length(0)),
        (
            "chunks without an end",
            raw(&chunk),
            raw(&format!("{chunk}0\r\n\r\n")),
        ),
        (
            "endless chunks",
            raw(&format!("{chunk}{}", lots.repeat(4))),
            raw(&format!("{chunk}0\r\n\r\n")),
        ),
        ("a very long head", head(20_000), head(10)),
        ("65,537 bytes", of_bytes(65_537), of_bytes(65_536)),
        ("no text", Answer::ok([0xff, 0xfe]), good()),
        ("no JSON", ok("<html></html>"), good()),
        ("half of it", ok(&body[..body.len() - 1]), ok(&body)),
        ("two of it", ok(&format!("{body}{body}")), ok(&body)),
        ("no keys", ok("{}"), good()),
        (
            "keys twice",
            ok(&body.replacen('{', r#"{"keys":[],"#, 1)),
            ok(&body),
        ),
        (
            "keys that are no list",
            ok(&format!(r#"{{"keys":{key}}}"#)),
            ok(&format!(r#"{{"keys":[{key}]}}"#)),
        ),
        ("a list alone", ok(&format!("[{key}]")), good()),
        ("33 keys", others(33), others(32)),
        (
            "two keys of one id",
            Answer::keys(&[key.clone(), key.clone()]),
            good(),
        ),
        (
            "another key of its id",
            Answer::keys(&[SigningKey::rsa("key").public(), key.clone()]),
            good(),
        ),
    ]
}

#[tokio::test]
async fn what_is_no_key_set_lets_nobody_in_and_its_twin_does() {
    let key = SigningKey::p256("key");
    let token = key.token(&claims());
    let elsewhere = Issuer::start(Answer::keys(&[key.public()])).await;
    let issuer = Issuer::start(Answer::Hold).await;
    for (name, bad, good) in answers(&key.public(), &elsewhere.keys_url()) {
        issuer.answer(bad);
        let verified = verify(&verifier(&issuer, NEVER), &token).await;
        assert_eq!(verified, Err(KEYS_UNAVAILABLE), "{name}");
        issuer.answer(good);
        let verified = verify(&verifier(&issuer, NEVER), &token).await;
        assert!(verified.is_ok(), "the twin of {name}: {verified:?}");
    }
    assert_eq!(elsewhere.asked(), 0, "a redirect is not followed");
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_lets_nobody_in() {
    let key = SigningKey::p256("key");
    let token = key.token(&claims());
    let body = json!({ "keys": [key.public()] }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let waits = Waits {
        answer: Duration::from_millis(50),
        ..NEVER
    };
    let issuer = Issuer::start(Answer::Hold).await;
    let texts = [
        "",
        "HTTP/1.1 200 OK\r\n",
        &head,
        &format!("{head}{}", &body[..20]),
    ];
    let stalls = texts.map(|text| Answer::Stall(text.into()));
    for (index, answer) in [Answer::Hold].into_iter().chain(stalls).enumerate() {
        issuer.answer(answer);
        let verified = verify(&verifier(&issuer, waits), &token).await;
        assert_eq!(verified, Err(KEYS_UNAVAILABLE), "{index}");
    }
    // It is there, but nobody takes the connection.
    let closed = config("http://127.0.0.1:1/keys".to_owned());
    let closed = Verifier::waiting(&closed, waits).expect("the configuration is good");
    assert_eq!(verify(&closed, &token).await, Err(KEYS_UNAVAILABLE));
    // One that keeps the connection open has answered all the same.
    issuer.answer(Answer::Stall(format!("{head}{body}").into()));
    let verified = verify(&verifier(&issuer, NEVER), &token).await;
    assert!(verified.is_ok(), "{verified:?}");
}

/// What makes a key unusable, why its token is refused, and what is like it and does not.
fn members() -> Vec<(&'static str, Rejected, Value, Value)> {
    vec![
        (
            "for encryption",
            NO_KEY,
            json!({"use": "enc"}),
            json!({"use": "sig"}),
        ),
        (
            "for what is new",
            NO_KEY,
            json!({"use": "SIG"}),
            json!({"use": null}),
        ),
        (
            "for signing",
            NO_KEY,
            json!({"key_ops": ["sign"]}),
            json!({"key_ops": ["verify"]}),
        ),
        (
            "for nothing",
            NO_KEY,
            json!({"key_ops": []}),
            json!({"key_ops": null}),
        ),
        (
            "without an id",
            NO_KEY,
            json!({"kid": null}),
            json!({"kid": "key"}),
        ),
        (
            "with a number as its id",
            NO_KEY,
            json!({"kid": 1}),
            json!({"kid": "key"}),
        ),
        (
            "a secret",
            NO_KEY,
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            json!({"k": "c2VjcmV0"}),
        ),
        (
            "without a type",
            NO_KEY,
            json!({"kty": null}),
            json!({"kty": "EC"}),
        ),
        (
            "of an unknown type",
            NO_KEY,
            json!({"kty": "AKP"}),
            json!({"kty": "EC"}),
        ),
        (
            "of another type",
            NO_KEY,
            json!({"kty": "RSA"}),
            json!({"kty": "EC"}),
        ),
        (
            "on another curve",
            NO_KEY,
            json!({"crv": "P-384"}),
            json!({"crv": "P-256"}),
        ),
        (
            "on no curve",
            NO_KEY,
            json!({"crv": null}),
            json!({"crv": "P-256"}),
        ),
        (
            "without a coordinate",
            NO_KEY,
            json!({"y": null}),
            json!({}),
        ),
        (
            "with a short coordinate",
            NO_KEY,
            json!({"x": encode([1; 31])}),
            json!({}),
        ),
        (
            "with a coordinate that is none",
            NO_KEY,
            json!({"x": "!"}),
            json!({}),
        ),
        (
            "beside the curve",
            NOT_SIGNED,
            json!({"x": encode([1; 32])}),
            json!({}),
        ),
        (
            "for secrets",
            NO_KEY,
            json!({"alg": "HS256"}),
            json!({"alg": "ES256"}),
        ),
        (
            "for none",
            NO_KEY,
            json!({"alg": "none"}),
            json!({"alg": null}),
        ),
        (
            "for what it cannot",
            NOT_SIGNED,
            json!({"alg": "RS256"}),
            json!({"alg": "ES256"}),
        ),
        // Nobody should tell it, and nobody reads it.
        (
            "of a stranger",
            NO_KEY,
            json!({"kid": "other"}),
            json!({"d": encode([1; 32])}),
        ),
    ]
}

/// The key with these members, or without those that are null.
fn with(mut key: Value, members: &Value) -> Value {
    let object = key.as_object_mut().expect("a key is an object");
    for (name, value) in members.as_object().expect("members") {
        match value {
            Value::Null => object.remove(name),
            value => object.insert(name.clone(), value.clone()),
        };
    }
    key
}

#[tokio::test]
async fn a_key_that_is_not_for_tokens_is_left_out_and_its_twin_is_not() {
    let key = SigningKey::p256("key");
    let neighbour = SigningKey::ed25519("neighbour");
    let issuer = Issuer::start(Answer::Hold).await;
    for (name, why, bad, good) in members() {
        for (members, expected) in [(bad, Err(why)), (good, Ok("ada"))] {
            let keys = [with(key.public(), &members), neighbour.public()];
            issuer.answer(Answer::keys(&keys));
            let verifier = verifier(&issuer, NEVER);
            let verified = verify(&verifier, &key.token(&claims())).await;
            let subject = verified.as_ref().map(|who| who.subject.as_str());
            assert_eq!(subject, expected.as_ref().copied(), "{name}: {members}");
            // The others are good all the same.
            let verified = verify(&verifier, &neighbour.token(&claims())).await;
            assert!(verified.is_ok(), "{name}: {verified:?}");
        }
    }
}

#[tokio::test]
async fn an_rsa_key_that_is_weak_or_not_canonical_is_left_out() {
    let key = SigningKey::rsa("key");
    let modulus = key.public()["n"].as_str().expect("text").to_owned();
    let issuer = Issuer::start(Answer::Hold).await;
    let huge = encode([0xff; 1_025]);
    for (n, expected) in [
        (modulus.as_str(), None),
        (WEAK, Some(NO_KEY)),
        (&huge, Some(NO_KEY)),
        (&format!("AAAA{modulus}"), Some(NO_KEY)),
        ("", Some(NO_KEY)),
    ] {
        issuer.answer(Answer::keys(&[with(key.public(), &json!({ "n": n }))]));
        let verified = verify(&verifier(&issuer, NEVER), &key.token(&claims())).await;
        assert_eq!(verified.err(), expected, "{n}");
    }
}

#[tokio::test]
async fn an_issuer_that_cannot_be_trusted_is_a_problem_at_the_start() {
    let folder = tempfile::tempdir().expect("a directory");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").expect("a file");
    let at = |url: &str| config(url.to_owned());
    let mut cases = Vec::new();
    for url in [
        "",
        "keys",
        "/keys",
        "https://",
        "ftp://127.0.0.1/keys",
        "http://issuer.test/keys",
        "http://127.0.0.1.issuer.test/keys",
        "http://10.0.0.1/keys",
        "http://[2001:db8::1]/keys",
        "https://user:word@issuer.test/keys",
        "http://user@127.0.0.1/keys",
    ] {
        cases.push((at(url), "the issuer's key set cannot be at"));
    }
    for path in [
        empty,
        folder.path().join("missing.pem"),
        folder.path().into(),
    ] {
        let mut config = at("https://issuer.test/keys");
        config.ca = Some(path);
        cases.push((
            config,
            "the issuer's certificate authorities cannot be read from",
        ));
    }
    let (mut nobody, mut anybody) = (at("http://[::1]/keys"), at("http://[::1]/keys"));
    nobody.audience.clear();
    anybody.issuer.clear();
    cases.push((nobody, "the audience of tokens must not be empty"));
    cases.push((anybody, "the issuer of tokens must not be empty"));
    for (config, expected) in cases {
        let made: Result<Verifier, Problem> = Verifier::new(&config);
        let problem = made.expect_err(&config.keys_url).to_string();
        assert!(problem.starts_with(expected), "{problem}");
    }
    for url in [
        "http://[::1]/keys",
        "http://127.9.9.9:1/keys",
        "http://localhost:1/?tenant=1",
    ] {
        Verifier::new(&at(url)).expect(url);
    }
}
