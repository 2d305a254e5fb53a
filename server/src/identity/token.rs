//! Tokens: JSON Web Tokens (RFC 7519) of the one issuer, checked as RFC 8725 advises.

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::Problem;
use super::key::{Algorithm, KEY_ID_CHARS_MAX};
use super::key_set::{KeySet, Waits};
use crate::config::Issuer;

/// Longest token. Nothing of a longer one is decoded.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Longest subject, as principals have them.
const SUBJECT_CHARS_MAX: usize = 256;
/// So far the clocks of the issuer and ours may differ.
const LEEWAY_SECONDS: f64 = 60.0;
/// So long a token may be good. A thief has it that long, since nothing takes a token back; the largest
/// issuers give up to 90 minutes.
const LIFETIME_SECONDS_MAX: f64 = 7_200.0;
const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// Who has shown a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whom the issuer means, in its words.
    pub subject: String,
    /// The first moment at which the token proves nothing any more, in microseconds since 1970.
    pub expires_at: i64,
}

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It is not a token of the issuer for us. The reason is for the log: a caller who is told it learns how
    /// to make a better one.
    #[error("invalid: {0}")]
    Invalid(&'static str),
    /// It was one.
    #[error("expired")]
    Expired,
    /// It may be one: the issuer does not tell its keys.
    #[error("the issuer's keys are not known")]
    KeysUnavailable,
}

use Rejected::Invalid;

/// Verifies tokens of an issuer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    issuer: String,
    audience: String,
    keys: KeySet,
}

impl Verifier {
    /// A verifier for an issuer. Reads its key set in the background from now on, so it has to be made within
    /// a runtime; an issuer that is not there yet is no problem.
    pub fn new(issuer: &Issuer) -> Result<Self, Problem> {
        Self::waiting(issuer, Waits::default())
    }

    pub(super) fn waiting(issuer: &Issuer, waits: Waits) -> Result<Self, Problem> {
        if issuer.issuer.is_empty() {
            return Err(Problem::Empty("issuer"));
        }
        if issuer.audience.is_empty() {
            return Err(Problem::Empty("audience"));
        }
        Ok(Self(Arc::new(Shared {
            issuer: issuer.issuer.clone(),
            audience: issuer.audience.clone(),
            keys: KeySet::new(issuer, waits)?,
        })))
    }

    /// Who the issuer says that has this token. Waits for the issuer if it has not told its keys yet, or not
    /// this one.
    pub async fn verify(&self, token: &str) -> Result<Verified, Rejected> {
        #[expect(clippy::disallowed_methods, reason = "the clock is read here")]
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0.0, |since| since.as_secs_f64());
        self.verify_at(token, now).await
    }

    /// The same, at a time in seconds since 1970.
    pub(super) async fn verify_at(&self, token: &str, now: f64) -> Result<Verified, Rejected> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Invalid("too long"));
        }
        let parts: Vec<&str> = token.splitn(4, '.').collect();
        let &[header, claims, signature] = parts.as_slice() else {
            return Err(Invalid("not of three parts"));
        };
        let message = &token.as_bytes()[..header.len() + 1 + claims.len()];
        let (algorithm, key_id) = decode::<Header>(header)?.check()?;
        let signature = URL_SAFE_NO_PAD.decode(signature);
        let signature = signature.map_err(|_| Invalid("not base64url"))?;
        let key = self.0.keys.key(&key_id).await?;
        if !key.has_signed(algorithm, message, &signature) {
            return Err(Invalid("not signed by its key"));
        }
        decode::<Claims>(claims)?.check(&self.0.issuer, &self.0.audience, now)
    }
}

/// A part of a token as JSON. Members that are read must be there once.
fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Rejected> {
    let bytes = URL_SAFE_NO_PAD.decode(part);
    let bytes = bytes.map_err(|_| Invalid("not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| Invalid("not the JSON of a token"))
}

/// What a token says of itself. Keys that it brings along or points to are not even read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    #[serde(default)]
    crit: Present,
}

impl Header {
    /// How it is signed, and by which key.
    fn check(self) -> Result<(Algorithm, String), Rejected> {
        let algorithm = Algorithm::parse(&self.alg).ok_or(Invalid("algorithm not allowed"))?;
        // What the issuer signs for other purposes says so here (RFC 8725, 3.11), but many access tokens do
        // not say what they are.
        let kind = self.typ.map(|kind| kind.to_ascii_lowercase());
        let kind = kind.as_deref().unwrap_or("jwt");
        if !matches!(
            kind.strip_prefix("application/").unwrap_or(kind),
            "jwt" | "at+jwt"
        ) {
            return Err(Invalid("a token of another kind"));
        }
        if self.crit.0 {
            return Err(Invalid("demands an extension"));
        }
        if self.kid.is_empty() || self.kid.chars().count() > KEY_ID_CHARS_MAX {
            return Err(Invalid("kid empty or too long"));
        }
        Ok((algorithm, self.kid))
    }
}

/// True for a member that is there, whatever it is.
#[derive(Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// What the issuer says of who has the token.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
}

/// For whom a token is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// Whom they mean, if they are the issuer's, for us, and good now.
    fn check(self, issuer: &str, audience: &str, now: f64) -> Result<Verified, Rejected> {
        if self.iss != issuer {
            return Err(Invalid("of another issuer"));
        }
        let is_for_us = match &self.aud {
            Audience::One(name) => name == audience,
            Audience::Several(names) => names.iter().any(|name| name == audience),
        };
        if !is_for_us {
            return Err(Invalid("for another audience"));
        }
        // Counted from when it was issued, not from now: an issuer that is set to longer ones is found out
        // by the first of them, and not by one that is refused until its last two hours have come. Together with
        // an `iat` that is not in the future, no token is good for longer than that from now.
        if self.exp - self.iat > LIFETIME_SECONDS_MAX {
            return Err(Invalid("good for too long"));
        }
        let begin = self.nbf.map_or(self.iat, |nbf| nbf.max(self.iat));
        if now < begin - LEEWAY_SECONDS {
            return Err(Invalid("not good yet"));
        }
        let end = self.exp + LEEWAY_SECONDS;
        if now >= end {
            return Err(Rejected::Expired);
        }
        let length = self.sub.chars().count();
        if !(1..=SUBJECT_CHARS_MAX).contains(&length) || self.sub.chars().any(char::is_control) {
            return Err(Invalid("no usable subject"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most two hours from now"
        )]
        let expires_at = (end * MICROS_PER_SECOND) as i64;
        Ok(Verified {
            subject: self.sub,
            expires_at,
        })
    }
}
