//! A public key of an issuer, and whether it has signed something.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

/// Longest id of a key.
pub(super) const KEY_ID_CHARS_MAX: usize = 256;
/// Smallest and largest modulus of an RSA key: 2,048 and 8,192 bits. Less is no longer safe, and more makes
/// each call expensive.
const RSA_BYTES_MIN: usize = 256;
const RSA_BYTES_MAX: usize = 1_024;

/// How something is signed. There is no other way, least of all `none` and shared secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// The algorithm with this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A public key that signs tokens.
#[derive(Debug)]
pub(super) struct Key {
    /// What tokens call it.
    pub(super) id: String,
    /// The only way that it signs; any that its type can if not set.
    algorithm: Option<Algorithm>,
    public: Public,
}

#[derive(Debug)]
enum Public {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// Both coordinates of the point, after the byte that says so.
    P256([u8; 65]),
    Ed25519([u8; 32]),
}

impl Key {
    /// True if the key has made this signature, and makes such. Its type decides, not the token.
    pub(super) fn has_signed(&self, algorithm: Algorithm, message: &[u8], signed: &[u8]) -> bool {
        if self.algorithm.is_some_and(|only| only != algorithm) {
            return false;
        }
        let verified = match (&self.public, algorithm) {
            (Public::Rsa(key), Algorithm::Rs256) => {
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signed)
            }
            (Public::Rsa(key), Algorithm::Ps256) => {
                key.verify(&signature::RSA_PSS_2048_8192_SHA256, message, signed)
            }
            (Public::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signed)
            }
            (Public::Ed25519(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signed)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}

/// A key as a key set writes it (RFC 7517). What else is in it is not read, a private part for one.
#[derive(Deserialize)]
pub(super) struct Written {
    kid: Option<String>,
    kty: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Written {
    /// The key, if it is one that we know how to use for tokens; else why not.
    pub(super) fn parse(self) -> Result<Key, &'static str> {
        let is_for_signatures = self.purpose.is_none_or(|purpose| purpose == "sig");
        let may_verify = |operations: Vec<String>| operations.iter().any(|name| name == "verify");
        if !is_for_signatures || !self.key_ops.is_none_or(may_verify) {
            return Err("not for signatures");
        }
        let id = self.kid.ok_or("no kid")?;
        if id.is_empty() || id.chars().count() > KEY_ID_CHARS_MAX {
            return Err("kid empty or too long");
        }
        let public = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (bytes(self.n)?, bytes(self.e)?);
                let is_canonical = n.first().is_some_and(|first| *first != 0);
                if !is_canonical || !(RSA_BYTES_MIN..=RSA_BYTES_MAX).contains(&n.len()) {
                    return Err("modulus not of 2048 to 8192 bits");
                }
                Public::Rsa(RsaPublicKeyComponents { n, e })
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (coordinate(self.x)?, coordinate(self.y)?);
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&x);
                point[33..].copy_from_slice(&y);
                Public::P256(point)
            }
            ("OKP", Some("Ed25519")) => Public::Ed25519(coordinate(self.x)?),
            _ => return Err("type or curve not known"),
        };
        let algorithm = match self.alg.as_deref().map(Algorithm::parse) {
            None => None,
            Some(Some(algorithm)) => Some(algorithm),
            Some(None) => return Err("algorithm not known"),
        };
        Ok(Key {
            id,
            algorithm,
            public,
        })
    }
}

fn bytes(text: Option<String>) -> Result<Vec<u8>, &'static str> {
    let text = text.ok_or("a part is missing")?;
    let decoded = URL_SAFE_NO_PAD.decode(text);
    decoded.map_err(|_| "a part is not base64url")
}

fn coordinate(text: Option<String>) -> Result<[u8; 32], &'static str> {
    let wrong_length = |_| "a coordinate is not of 32 bytes";
    bytes(text)?.try_into().map_err(wrong_length)
}
