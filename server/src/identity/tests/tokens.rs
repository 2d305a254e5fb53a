//! Tokens that prove nothing, each beside one that differs in that alone and is good.

use ring::hmac;
use serde_json::{Value, json};

use super::issuer::{Answer, Issuer, SigningKey, encode};
use super::members::*;
use super::{NEVER, claims, verifier, verify};
use crate::identity::Rejected::{self, Invalid};

/// The keys of the issuer, and one of somebody else who calls it as the issuer calls one.
struct Keys {
    rsa: SigningKey,
    /// The same, told as one for RS256 only.
    pinned: SigningKey,
    p256: SigningKey,
    ed25519: SigningKey,
    path: SigningKey,
    long: SigningKey,
    attackers: SigningKey,
}

impl Keys {
    fn new() -> Self {
        Self {
            rsa: SigningKey::rsa("rsa"),
            pinned: SigningKey::rsa("pinned"),
            p256: SigningKey::p256("p256"),
            ed25519: SigningKey::ed25519("ed25519"),
            path: SigningKey::p256("../../keys"),
            long: SigningKey::p256(&"k".repeat(256)),
            attackers: SigningKey::p256("p256"),
        }
    }

    fn public(&self) -> Vec<Value> {
        let mut pinned = self.pinned.public();
        pinned["alg"] = json!("RS256");
        let keys = [&self.rsa, &self.p256, &self.ed25519, &self.path, &self.long];
        let keys = keys.into_iter().map(SigningKey::public);
        keys.chain([pinned]).collect()
    }

    /// A token with this member in its header.
    fn header(&self, member: &str, value: &str) -> String {
        self.p256
            .sign(&object(&HEADER, member, value), &object(&CLAIMS, "", ""))
    }

    /// A token with this claim.
    fn claim(&self, member: &str, value: &str) -> String {
        self.p256
            .sign(&object(&HEADER, "", ""), &object(&CLAIMS, member, value))
    }

    /// A token of this key, which says so of itself.
    fn token(key: &SigningKey, algorithm: &str, id: &str) -> String {
        let header = json!({"alg": algorithm, "kid": id}).to_string();
        key.sign(&header, &claims().to_string())
    }
}

/// A token that says this of itself and is signed by whatever means.
fn forged(algorithm: &str, id: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let header = json!({"alg": algorithm, "kid": id}).to_string();
    let message = format!("{}.{}", encode(header), encode(claims().to_string()));
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// The token after this was done to one of its parts.
fn changed(token: &str, part: usize, change: impl FnOnce(&mut String)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    change(&mut parts[part]);
    parts.join(".")
}

/// Changes the first byte.
fn flip(part: &mut String) {
    let other = if part.starts_with('A') { "B" } else { "A" };
    part.replace_range(..1, other);
}

/// A good token of this length.
fn of_length(keys: &Keys, length: usize) -> String {
    // Not every length can be had by padding the claims alone.
    for header in [object(&HEADER, "", ""), object(&HEADER, "typ", "")] {
        for pad in 5_850..6_000 {
            let pad = format!("'{}'", "x".repeat(pad));
            let token = keys.p256.sign(&header, &object(&CLAIMS, "pad", &pad));
            if token.len() == length {
                return token;
            }
        }
    }
    panic!("no token has {length} bytes");
}

/// A good token, and what is like it and is refused.
type Group = (String, Vec<(&'static str, Rejected, String)>);

#[rustfmt::skip]
fn signatures(keys: &Keys) -> Group {
    let good = keys.claim("", "");
    let other = keys.claim("sub", "'eve'");
    let others = other.rsplit('.').next().expect("a signature").to_owned();
    let eve = encode(object(&CLAIMS, "sub", "'eve'"));
    let rows = vec![
        ("unsigned", NOT_ALLOWED, forged("none", "p256", |_| vec![])),
        ("unsigned, in capitals", NOT_ALLOWED, forged("NONE", "p256", |_| vec![])),
        ("an empty signature", NOT_SIGNED, forged("ES256", "p256", |_| vec![])),
        ("zeros", NOT_SIGNED, forged("ES256", "p256", |_| vec![0; 64])),
        ("an attacker's key of that id", NOT_SIGNED, keys.attackers.token(&claims())),
        ("RS256 by P-256", NOT_SIGNED, Keys::token(&keys.rsa, "RS256", "p256")),
        ("EdDSA by P-256", NOT_SIGNED, Keys::token(&keys.ed25519, "EdDSA", "p256")),
        ("the header changed", NOT_JSON, changed(&good, 0, flip)),
        ("the subject changed", NOT_SIGNED, changed(&good, 1, |part| *part = eve)),
        ("the claims changed", NOT_SIGNED, changed(&good, 1, flip)),
        ("the signature changed", NOT_SIGNED, changed(&good, 2, flip)),
        ("the signature of another", NOT_SIGNED, changed(&good, 2, |part| *part = others)),
        ("a byte less", NOT_SIGNED, changed(&good, 2, |part| part.truncate(84))),
        ("a byte more", NOT_SIGNED, changed(&good, 2, |part| part.push('A'))),
    ];
    (good, rows)
}

fn algorithms(keys: &Keys) -> Vec<Group> {
    let modulus = keys.rsa.public()["n"].as_str().expect("text").to_owned();
    let hmac = |algorithm: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, modulus.as_bytes());
        let sign = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
        forged(algorithm, "rsa", sign)
    };
    let mixed = |algorithm: &str, pss: bool| {
        forged(algorithm, "rsa", |message| keys.rsa.signature(message, pss))
    };
    let rs256 = vec![
        ("a secret, the public key", NOT_ALLOWED, hmac("HS256")),
        ("the same, called RS256", NOT_SIGNED, hmac("RS256")),
        ("signed as PS256", NOT_SIGNED, mixed("RS256", true)),
        ("with SHA-512", NOT_ALLOWED, mixed("RS512", false)),
    ];
    let ps256 = vec![("signed as RS256", NOT_SIGNED, mixed("PS256", false))];
    let pinned = Keys::token(&keys.pinned, "PS256", "pinned");
    let pinned = vec![("signed as PS256", NOT_SIGNED, pinned)];
    let eddsa = Keys::token(&keys.ed25519, "ES256", "ed25519");
    let eddsa = vec![("called ES256", NOT_SIGNED, eddsa)];
    vec![
        (keys.rsa.token(&claims()), rs256),
        (Keys::token(&keys.rsa, "PS256", "rsa"), ps256),
        (keys.pinned.token(&claims()), pinned),
        (keys.ed25519.token(&claims()), eddsa),
    ]
}

#[rustfmt::skip]
fn shapes(keys: &Keys) -> Group {
    let good = keys.claim("", "");
    let signature = |change: fn(&mut String)| changed(&good, 2, change);
    let rows = vec![
        ("nothing", NOT_THREE, String::new()),
        ("a word", NOT_THREE, "token".to_owned()),
        ("two dots", NOT_JSON, "..".to_owned()),
        ("two parts", NOT_THREE, good.rsplit_once('.').expect("a dot").0.to_owned()),
        ("four parts", NOT_THREE, format!("{good}.AA")),
        ("five parts, as if encrypted", NOT_THREE, format!("{good}.AA.AA")),
        ("a dot after", NOT_THREE, format!("{good}.")),
        ("a dot before", NOT_THREE, format!(".{good}")),
        ("a space before", NOT_BASE64, format!(" {good}")),
        ("a line's end after", NOT_BASE64, format!("{good}\n")),
        ("an umlaut", NOT_BASE64, signature(|part| part.insert(4, 'ä'))),
        ("the other base64", NOT_BASE64, signature(|part| part.replace_range(..1, "+"))),
        ("the header padded", NOT_BASE64, changed(&good, 0, |part| part.push('='))),
        ("the signature padded", NOT_BASE64, signature(|part| part.push_str("=="))),
        ("bits after the signature", NOT_BASE64, signature(|part| part.replace_range(85.., "_"))),
    ];
    (good, rows)
}

#[rustfmt::skip]
fn texts(keys: &Keys) -> Group {
    let (header, claims) = (object(&HEADER, "", ""), object(&CLAIMS, "", ""));
    let headed = |header: &str| keys.p256.sign(header, &claims);
    let claiming = |claims: &str| keys.p256.sign(&header, claims);
    let rows = vec![
        ("a header of two objects", NOT_JSON, headed(&header.repeat(2))),
        ("a header that is a list", NOT_JSON, headed(&format!("[{header}]"))),
        ("a header with a byte order mark", NOT_JSON, headed(&format!("\u{feff}{header}"))),
        ("half a header", NOT_JSON, headed(&header[..header.len() - 1])),
        ("claims that are no JSON", NOT_JSON, claiming("ada")),
        ("claims that are a list", NOT_JSON, claiming(&format!("[{claims}]"))),
        ("claims of two objects", NOT_JSON, claiming(&claims.repeat(2))),
        ("half the claims", NOT_JSON, claiming(&claims[..claims.len() - 1])),
    ];
    (keys.p256.sign(&header, &claims), rows)
}

fn lengths(keys: &Keys) -> Vec<Group> {
    let kid = |length: usize| Keys::token(&keys.long, "ES256", &"k".repeat(length));
    let sub = |length: usize| keys.claim("sub", &format!("'{}'", "ä".repeat(length)));
    let path = |id: &str| Keys::token(&keys.path, "ES256", id);
    let bytes = |length: usize| of_length(keys, length);
    let too_long = Invalid("too long");
    vec![
        (kid(256), vec![("another kid", NO_KEY, kid(255))]),
        (kid(256), vec![("a long kid", NO_KEY_ID, kid(257))]),
        (sub(256), vec![("a long sub", NO_SUBJECT, sub(257))]),
        (
            path("../../keys"),
            vec![("a path", NO_KEY, path("../keys"))],
        ),
        (bytes(8_192), vec![("a long token", too_long, bytes(8_193))]),
    ]
}

/// A header may point to a key or bring one along: that of the attacker counts for nothing.
fn pointers(keys: &Keys, attackers_url: &str) -> Vec<Group> {
    let attackers = keys.attackers.public();
    let members = [
        ("jwk", attackers.clone()),
        ("jku", json!(attackers_url)),
        ("x5u", json!(attackers_url)),
        ("x5c", json!(["MIIB"])),
    ];
    let groups = members.map(|(name, value)| {
        let header = object(&HEADER, name, &value.to_string());
        let signed = |key: &SigningKey| key.sign(&header, &claims().to_string());
        let bad = signed(&keys.attackers);
        (signed(&keys.p256), vec![(name, NOT_SIGNED, bad)])
    });
    groups.into()
}

#[tokio::test]
async fn what_proves_nothing_is_refused_and_its_twin_is_not() {
    let keys = Keys::new();
    let issuer = Issuer::start(Answer::keys(&keys.public())).await;
    let attackers = Issuer::start(Answer::keys(&[keys.attackers.public()])).await;
    let verifier = verifier(&issuer, NEVER);

    let pointers = pointers(&keys, &attackers.keys_url());
    let single = vec![signatures(&keys), shapes(&keys), texts(&keys)];
    let groups = [single, algorithms(&keys), lengths(&keys), pointers];
    for (good, rows) in groups.into_iter().flatten() {
        let verified = verify(&verifier, &good).await;
        for (name, why, bad) in rows {
            assert!(verified.is_ok(), "the twin of {name}: {verified:?}");
            assert_eq!(verify(&verifier, &bad).await, Err(why), "{name}: {bad}");
        }
    }
    type Make = fn(&Keys, &str, &str) -> String;
    let tables: [(&[Row], Make); 2] = [(HEADERS, Keys::header), (CLAIMED, Keys::claim)];
    for (rows, make) in tables {
        for (member, bad, why, good) in rows {
            let verified = verify(&verifier, &make(&keys, member, good)).await;
            assert!(verified.is_ok(), "{member} {good}: {verified:?}");
            let verified = verify(&verifier, &make(&keys, member, bad)).await;
            assert_eq!(verified, Err(*why), "{member} {bad}");
        }
    }
    // At the start, and once for all unknown keys. Where a token points to is not looked.
    assert_eq!((issuer.asked(), attackers.asked()), (2, 0));
}
