//! Tokens that are good, tables of those that are not, and an issuer that does what issuers do.

use std::time::Duration;

use serde_json::{Value, json};

use super::key_set::Waits;
use super::{Rejected, Verified, Verifier};
use crate::config;
use issuer::{Answer, Issuer, SigningKey};

mod https;
#[path = "../../../tests/issuer.rs"]
mod issuer;
mod key_sets;
mod members;
mod rolls;
mod tokens;

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "seatwise";
/// Now, in seconds since 1970.
const NOW: i64 = 1_800_000_000;

/// Waits that are never over while a test runs: the issuer is asked when it has to be.
const NEVER: Waits = Waits {
    refresh: Duration::from_secs(60 * 60),
    retry: Duration::from_secs(60 * 60),
    between: Duration::from_secs(60 * 60),
    stale: Duration::from_secs(24 * 60 * 60),
    connect: Duration::from_secs(60),
    answer: Duration::from_secs(60),
};

fn config(keys_url: String) -> config::Issuer {
    config::Issuer {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys_url,
        ca: None,
    }
}

fn verifier(issuer: &Issuer, waits: Waits) -> Verifier {
    let config = config(issuer.keys_url());
    Verifier::waiting(&config, waits).expect("the configuration is good")
}

/// Good claims.
fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": NOW, "exp": NOW + 600})
}

async fn verify(verifier: &Verifier, token: &str) -> Result<Verified, Rejected> {
    #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
    verifier.verify_at(token, NOW as f64).await
}

#[tokio::test]
async fn a_token_says_who_and_until_when() {
    let key = SigningKey::p256("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    let verified = verify(&verifier(&issuer, NEVER), &key.token(&claims())).await;
    let expected = Verified {
        subject: "ada".to_owned(),
        expires_at: (NOW + 660) * 1_000_000,
    };
    assert_eq!(verified, Ok(expected));
}

#[tokio::test]
async fn now_is_the_time_of_the_machine() {
    let key = SigningKey::p256("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    let verifier = verifier(&issuer, NEVER);
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    let signed = |seconds: u64| {
        let mut claims = claims();
        (claims["iat"], claims["exp"]) = (json!(seconds), json!(seconds + 3_000));
        key.token(&claims)
    };
    let now = since.as_secs();
    let verified = verifier.verify(&signed(now)).await.expect("it is good");
    assert_eq!(verified.expires_at / 1_000_000, (now + 3_060).cast_signed());
    let old = verifier.verify(&signed(now - 3_060)).await;
    assert_eq!(old, Err(Rejected::Expired));
}

/// What another implementation has signed: OpenSSL, by the `cryptography` of Python.
#[tokio::test]
async fn tokens_of_another_implementation_are_verified() {
    let made: Vec<Value> = serde_json::from_str(include_str!("tests/foreign.json")).expect("JSON");
    let keys: Vec<Value> = made.iter().map(|made| made["key"].clone()).collect();
    let issuer = Issuer::start(Answer::keys(&keys)).await;
    let verifier = verifier(&issuer, NEVER);
    for made in &made {
        let token = made["token"].as_str().expect("a token");
        let verified = verify(&verifier, token).await;
        let name = &made["key"]["alg"];
        assert_eq!(
            verified.map(|who| who.subject),
            Ok("ada".to_owned()),
            "{name}"
        );
    }
    assert_eq!(made.len(), 4);
}
