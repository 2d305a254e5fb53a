//! Members of tokens: each as it is in a token that is refused, and in one that differs in that alone and is
//! good.

use crate::identity::Rejected::{self, Expired, Invalid};

pub(super) const NOT_JSON: Rejected = Invalid("not the JSON of a token");
pub(super) const NOT_BASE64: Rejected = Invalid("not base64url");
pub(super) const NOT_THREE: Rejected = Invalid("not of three parts");
pub(super) const NOT_ALLOWED: Rejected = Invalid("algorithm not allowed");
pub(super) const NOT_SIGNED: Rejected = Invalid("not signed by its key");
pub(super) const NO_KEY: Rejected = Invalid("signed by no key of the issuer");
pub(super) const NO_KEY_ID: Rejected = Invalid("kid empty or too long");
pub(super) const OTHER_KIND: Rejected = Invalid("a token of another kind");
pub(super) const EXTENSION: Rejected = Invalid("demands an extension");
pub(super) const OTHER_ISSUER: Rejected = Invalid("of another issuer");
pub(super) const OTHER_AUDIENCE: Rejected = Invalid("for another audience");
pub(super) const NOT_YET: Rejected = Invalid("not good yet");
pub(super) const TOO_LONG: Rejected = Invalid("good for too long");
pub(super) const NO_SUBJECT: Rejected = Invalid("no usable subject");

/// A member, what it is in a token that is refused, why, and what it is in one that is not. The text is JSON
/// with ' for "; without any the member is not there.
pub(super) type Row = (&'static str, &'static str, Rejected, &'static str);

/// The header of a good token.
pub(super) const HEADER: [(&str, &str); 3] =
    [("alg", "'ES256'"), ("kid", "'p256'"), ("typ", "'JWT'")];

#[rustfmt::skip]
pub(super) const HEADERS: &[Row] = &[
    ("alg", "", NOT_JSON, "'ES256'"),
    ("alg", "null", NOT_JSON, "'ES256'"),
    ("alg", "['ES256']", NOT_JSON, "'ES256'"),
    ("alg", "'none'", NOT_ALLOWED, "'ES256'"),
    ("alg", "'es256'", NOT_ALLOWED, "'ES256'"),
    ("alg", "'ES256 '", NOT_ALLOWED, "'ES256'"),
    ("alg", "'ES384'", NOT_ALLOWED, "'ES256'"),
    ("alg", "'ES256K'", NOT_ALLOWED, "'ES256'"),
    ("alg", "'RS256'", NOT_SIGNED, "'ES256'"),
    ("alg", "'EdDSA'", NOT_SIGNED, "'ES256'"),
    ("alg", "'none','alg':'ES256'", NOT_JSON, "'ES256'"),
    ("alg", "'ES256','alg':'ES256'", NOT_JSON, "'ES256'"),
    ("kid", "", NOT_JSON, "'p256'"),
    ("kid", "null", NOT_JSON, "'p256'"),
    ("kid", "256", NOT_JSON, "'p256'"),
    ("kid", "'p256','kid':'p256'", NOT_JSON, "'p256'"),
    ("kid", "''", NO_KEY_ID, "'p256'"),
    ("kid", "'p257'", NO_KEY, "'p256'"),
    ("kid", "'P256'", NO_KEY, "'p256'"),
    ("kid", "'p256 '", NO_KEY, "'p256'"),
    ("kid", "'p256\\u0000'", NO_KEY, "'p\\u0032\\u00356'"),
    ("kid", "'../keys/p256'", NO_KEY, "'p256'"),
    ("kid", "'/dev/null'", NO_KEY, "'p256'"),
    ("kid", "'p256\\u0027 OR 1=1 --'", NO_KEY, "'p256'"),
    ("kid", "'rsa'", NOT_SIGNED, "'p256'"),
    ("kid", "'../../keys'", NOT_SIGNED, "'p256'"),
    ("typ", "1", NOT_JSON, "'jwt'"),
    ("typ", "''", OTHER_KIND, ""),
    ("typ", "'logout+jwt'", OTHER_KIND, "'JWT'"),
    ("typ", "'dpop+jwt'", OTHER_KIND, "'at+jwt'"),
    ("typ", "'secevent+jwt'", OTHER_KIND, "'AT+JWT'"),
    ("typ", "'JOSE+JSON'", OTHER_KIND, "'application/at+jwt'"),
    ("crit", "['exp']", EXTENSION, ""),
    ("crit", "['b64'],'b64':false", EXTENSION, ""),
    ("crit", "[]", EXTENSION, ""),
    ("crit", "null", EXTENSION, ""),
    ("crit", "['exp'],'crit':[]", NOT_JSON, ""),
];

/// The claims of a good token.
pub(super) const CLAIMS: [(&str, &str); 5] = [
    ("iss", "'https://issuer.test'"),
    ("aud", "'seatwise'"),
    ("sub", "'ada'"),
    ("iat", "1800000000"),
    ("exp", "1800000600"),
];

/// It is 1800000000.
#[rustfmt::skip]
pub(super) const CLAIMED: &[Row] = &[
    ("iss", "", NOT_JSON, "'https://issuer.test'"),
    ("iss", "null", NOT_JSON, "'https://issuer.test'"),
    ("iss", "['https://issuer.test']", NOT_JSON, "'https://issuer.test'"),
    ("iss", "''", OTHER_ISSUER, "'https://issuer.test'"),
    ("iss", "'https://issuer.test/'", OTHER_ISSUER, "'https://issuer.test'"),
    ("iss", "'https://issuer.test.attacker.test'", OTHER_ISSUER, "'https://issuer.test'"),
    ("iss", "'https://Issuer.test'", OTHER_ISSUER, "'https://issuer.test'"),
    ("iss", "'http://issuer.test'", OTHER_ISSUER, "'https://issuer.test'"),
    ("iss", "'https://issuer.test '", OTHER_ISSUER, "'https:\\/\\/issuer.test'"),
    ("iss", "'https://issuer.test','iss':'x'", NOT_JSON, "'https://issuer.test'"),
    ("aud", "", NOT_JSON, "'seatwise'"),
    ("aud", "null", NOT_JSON, "'seatwise'"),
    ("aud", "{'seatwise':'seatwise'}", NOT_JSON, "'seatwise'"),
    ("aud", "['seatwise',1]", NOT_JSON, "['seatwise','1']"),
    ("aud", "[['seatwise']]", NOT_JSON, "['seatwise']"),
    ("aud", "''", OTHER_AUDIENCE, "'seatwise'"),
    ("aud", "[]", OTHER_AUDIENCE, "['seatwise']"),
    ("aud", "['a','b']", OTHER_AUDIENCE, "['a','seatwise','b']"),
    ("aud", "'seatwise-test'", OTHER_AUDIENCE, "'seatwise'"),
    ("aud", "'seat'", OTHER_AUDIENCE, "'seatwise'"),
    ("aud", "'Seatwise'", OTHER_AUDIENCE, "'seatwise'"),
    ("aud", "'a seatwise'", OTHER_AUDIENCE, "['a','seatwise']"),
    ("aud", "'a','aud':'seatwise'", NOT_JSON, "'seatwise'"),
    ("sub", "", NOT_JSON, "'ada'"),
    ("sub", "null", NOT_JSON, "'ada'"),
    ("sub", "7", NOT_JSON, "'7'"),
    ("sub", "'eve','sub':'ada'", NOT_JSON, "'ada','act':'eve'"),
    ("sub", "'ada\\ud800'", NOT_JSON, "'ada\\ud83d\\ude00'"),
    ("sub", "''", NO_SUBJECT, "'a'"),
    ("sub", "'ada\\nroot'", NO_SUBJECT, "'ada root'"),
    ("sub", "'ada\\u0000'", NO_SUBJECT, "'ada0'"),
    ("sub", "'ada\\u007f'", NO_SUBJECT, "'ada~'"),
    ("sub", "'ada\\u0085'", NO_SUBJECT, "'ada\\u00a1'"),
    ("exp", "", NOT_JSON, "1800000600"),
    ("exp", "null", NOT_JSON, "1800000600"),
    ("exp", "true", NOT_JSON, "1800000600"),
    ("exp", "'1800000600'", NOT_JSON, "1800000600"),
    ("exp", "'2027-01-15T09:00:00Z'", NOT_JSON, "1800000600"),
    ("exp", "1,'exp':1800000600", NOT_JSON, "1800000600,'exq':1"),
    ("exp", "1e999", NOT_JSON, "1.8000006e9"),
    ("exp", "0", Expired, "1800000600"),
    ("exp", "-1800000600", Expired, "1800000600"),
    ("exp", "1799999940", Expired, "1799999941"),
    ("exp", "1799999940.0", Expired, "1799999940.5"),
    ("exp", "1800007201", TOO_LONG, "1800007200"),
    ("exp", "1800000600000", TOO_LONG, "1800000600"),
    ("exp", "1e300", TOO_LONG, "1800000600"),
    ("iat", "", NOT_JSON, "1800000000"),
    ("iat", "null", NOT_JSON, "1800000000"),
    ("iat", "'1800000000'", NOT_JSON, "1800000000"),
    ("iat", "1800000061", NOT_YET, "1800000060"),
    ("iat", "1799993399", TOO_LONG, "1799993400"),
    ("iat", "0", TOO_LONG, "1800000000"),
    ("nbf", "'0'", NOT_JSON, "0"),
    ("nbf", "[0]", NOT_JSON, ""),
    ("nbf", "1800000061", NOT_YET, "1800000060"),
    ("nbf", "1e300", NOT_YET, "null"),
];

/// An object of these members, but with this value for one of them.
pub(super) fn object(members: &[(&str, &str)], member: &str, value: &str) -> String {
    let others = members.iter().filter(|(name, _)| *name != member).copied();
    let changed = (!value.is_empty()).then_some((member, value));
    let members = others.chain(changed);
    let members: Vec<String> = members
        .map(|(name, value)| format!("'{name}':{value}"))
        .collect();
    format!("{{{}}}", members.join(",")).replace('\'', "\"")
}
