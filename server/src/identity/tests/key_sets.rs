//! Key sets that say nothing, or too much, each beside one that is like it and good.

use std::time::Duration;

use serde_json::{Map, Value, json};

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

/// Bodies of answers.
fn bodies(key: &Value) -> Vec<Case> {
    let body = json!({ "keys": [key] }).to_string();
    let good = Answer::ok(&body);
    let ok = |text: &str| Answer::ok(text);
    let others = |count: usize| {
        let others = (1..count).map(|index| json!({"kty": "oct", "kid": index.to_string()}));
        Answer::keys(&others.chain([key.clone()]).collect::<Vec<Value>>())
    };
    let of_bytes = |bytes: usize| Answer::ok(body.clone() + &" ".repeat(bytes - body.len()));
    let twice = Answer::keys(&[key.clone(), key.clone()]);
    let other = Answer::keys(&[SigningKey::rsa("key").public(), key.clone()]);
    let renamed = Answer::keys(&[SigningKey::rsa("rsa").public(), key.clone()]);
    vec![
        ("65,537 bytes", of_bytes(65_537), of_bytes(65_536)),
        ("no text", Answer::ok([0xff, 0xfe]), good.clone()),
        ("nothing", ok(""), good.clone()),
        ("no JSON", ok("<html></html>"), good.clone()),
        ("half of it", ok(&body[..body.len() - 1]), good.clone()),
        ("two of it", ok(&body.repeat(2)), good.clone()),
        ("a key alone", ok(&key.to_string()), good.clone()),
        ("a list alone", ok(&format!("[{key}]")), good.clone()),
        ("no keys", ok("{}"), good.clone()),
        (
            "keys that are no list",
            ok(&format!(r#"{{"keys":{key}}}"#)),
            good.clone(),
        ),
        (
            "keys twice",
            ok(&body.replacen('{', r#"{"keys":[],"#, 1)),
            good.clone(),
        ),
        ("33 keys", others(33), others(32)),
        ("two keys of one id", twice, good),
        ("another key of its id", other, renamed),
    ]
}

/// Answers around a good body.
fn answers(key: &Value, elsewhere: &str) -> Vec<Case> {
    let body = json!({ "keys": [key] }).to_string();
    let good = Answer::ok(&body);
    let raw = |text: &str| Answer::Bytes(text.into());
    let of = |status: &str| Answer::status(status, &body);
    let found = format!("302 Found\r\nlocation: {elsewhere}");
    let coded = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{coded}{:x}\r\n{body}\r\n", body.len());
    let whole = raw(&format!("{chunk}0\r\n\r\n"));
    let endless = chunk.clone() + &format!("10000\r\n{}\r\n", " ".repeat(65_536)).repeat(4);
    let length = |more: usize| {
        let length = body.len() + more;
        raw(&format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    let head = |bytes: usize| of(&format!("200 OK\r\nx-line: {}", "x".repeat(bytes)));
    vec![
        ("500", of("500 Oops"), good.clone()),
        ("404", of("404 Not Found"), good.clone()),
        ("201", of("201 Created"), of("200 Fine")),
        ("another address", Answer::status(&found, ""), good.clone()),
        ("another address, and the keys", of(&found), good.clone()),
        ("nothing", raw(""), good.clone()),
        (
            "rubbish",
            raw("\u{1}\u{2}\u{3} rubbish\r\n\r\n"),
            good.clone(),
        ),
        ("half an answer", raw("HTTP/1.1 200 OK\r\ncontent-"), good),
        ("less than it says", length(1), length(0)),
        ("chunks without an end", raw(&chunk), whole.clone()),
        ("endless chunks", raw(&endless), whole),
        ("a very long head", head(20_000), head(10)),
    ]
}

#[tokio::test]
async fn what_is_no_key_set_lets_nobody_in_and_its_twin_does() {
    let key = SigningKey::p256("key");
    let token = key.token(&claims());
    let elsewhere = Issuer::start(Answer::keys(&[key.public()])).await;
    let issuer = Issuer::start(Answer::Hold).await;
    let answers = answers(&key.public(), &elsewhere.keys_url());
    for (name, bad, good) in answers.into_iter().chain(bodies(&key.public())) {
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

/// Members that make a key unusable, why its token is refused then, and what is like them and does not. Null
/// stands for a member that is not there.
#[rustfmt::skip]
const MEMBERS: &[(&str, Rejected, &str)] = &[
    (r#"{"use": "enc"}"#, NO_KEY, r#"{"use": "sig"}"#),
    (r#"{"use": "SIG"}"#, NO_KEY, r#"{"use": null}"#),
    (r#"{"key_ops": ["sign"]}"#, NO_KEY, r#"{"key_ops": ["verify"]}"#),
    (r#"{"key_ops": []}"#, NO_KEY, r#"{"key_ops": ["sign", "verify"]}"#),
    (r#"{"kid": null}"#, NO_KEY, r#"{"kid": "key"}"#),
    (r#"{"kid": ""}"#, NO_KEY, r#"{"kid": "key"}"#),
    (r#"{"kid": 1}"#, NO_KEY, r#"{"kid": "key"}"#),
    (r#"{"kid": "other"}"#, NO_KEY, r#"{"kid": "key"}"#),
    (r#"{"kty": "oct", "k": "c2VjcmV0"}"#, NO_KEY, r#"{"k": "c2VjcmV0"}"#),
    (r#"{"kty": null}"#, NO_KEY, r#"{"kty": "EC"}"#),
    (r#"{"kty": "AKP"}"#, NO_KEY, r#"{"kty": "EC"}"#),
    (r#"{"kty": "RSA"}"#, NO_KEY, r#"{"n": "AQAB", "e": "AQAB"}"#),
    (r#"{"kty": "OKP", "crv": "Ed25519"}"#, NOT_SIGNED, r#"{"kty": "EC", "crv": "P-256"}"#),
    (r#"{"crv": "P-384"}"#, NO_KEY, r#"{"crv": "P-256"}"#),
    (r#"{"crv": null}"#, NO_KEY, r#"{"crv": "P-256"}"#),
    (r#"{"y": null}"#, NO_KEY, r#"{"z": null}"#),
    (r#"{"x": "AQAB"}"#, NO_KEY, r#"{"z": "AQAB"}"#),
    (r#"{"x": "="}"#, NO_KEY, r#"{"z": "="}"#),
    // A point that is not on the curve.
    (r#"{"x": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"}"#, NOT_SIGNED, r#"{"z": "AQEB"}"#),
    (r#"{"alg": "HS256"}"#, NO_KEY, r#"{"alg": "ES256"}"#),
    (r#"{"alg": "none"}"#, NO_KEY, r#"{"alg": null}"#),
    (r#"{"alg": "RS256"}"#, NOT_SIGNED, r#"{"alg": "ES256"}"#),
    // The private part: nobody should tell it, and nobody reads it.
    (r#"{"d": "AQEB", "kid": "other"}"#, NO_KEY, r#"{"d": "AQEB"}"#),
];

/// The key with these members.
fn with(key: &Value, members: &str) -> Value {
    let mut key = key.clone();
    let object = key.as_object_mut().expect("a key is an object");
    let members: Map<String, Value> = serde_json::from_str(members).expect("members");
    for (name, value) in members {
        match value {
            Value::Null => object.remove(&name),
            value => object.insert(name, value),
        };
    }
    key
}

#[tokio::test]
async fn a_key_that_is_not_for_tokens_is_left_out_and_its_twin_is_not() {
    let key = SigningKey::p256("key");
    let neighbour = SigningKey::ed25519("neighbour");
    let issuer = Issuer::start(Answer::Hold).await;
    for (bad, why, good) in MEMBERS {
        for (members, expected) in [(bad, Err(*why)), (good, Ok(()))] {
            let keys = [with(&key.public(), members), neighbour.public()];
            issuer.answer(Answer::keys(&keys));
            let verifier = verifier(&issuer, NEVER);
            let verified = verify(&verifier, &key.token(&claims())).await;
            assert_eq!(verified.map(|_| ()), expected, "{members}");
            // The others are good all the same.
            let verified = verify(&verifier, &neighbour.token(&claims())).await;
            assert!(verified.is_ok(), "{members}: {verified:?}");
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
        issuer.answer(Answer::keys(&[with(
            &key.public(),
            &json!({ "n": n }).to_string(),
        )]));
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
