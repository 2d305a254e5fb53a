//! API keys as callers show them: `seatwise_<id>_<secret>`, 32 and 64 hexadecimal digits. The prefix lets
//! scanners of sources find them.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Key, KeyId};

/// What every key begins with.
pub const KEY_PREFIX: &str = "seatwise_";

/// The secret of a key, which is not kept. It has 256 random bits, so that one round of SHA-256 hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret of these random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads a key as callers show it.
    pub fn parse(text: &str) -> Option<(KeyId, Self)> {
        let (id, secret) = text.strip_prefix(KEY_PREFIX)?.split_once('_')?;
        let is_lower = |text: &str| {
            text.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if id.len() != 32 || secret.len() != 64 || !is_lower(id) || !is_lower(secret) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(secret.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some((KeyId(Uuid::try_parse(id).ok()?), Self(bytes)))
    }

    /// The key as its owner is to show it.
    pub fn show(&self, id: KeyId) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{KEY_PREFIX}{}_{digits}", id.0.simple())
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Key {
    /// True if this is its secret. Takes as long whatever is wrong.
    pub fn is_opened_by(&self, secret: &Secret) -> bool {
        self.hash.ct_eq(&secret.hash()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_shown_and_in_no_other_form() {
        let (id, secret) = (KeyId(Uuid::from_u128(0xab)), Secret::new([0x1f; 32]));
        let shown = secret.show(id);
        assert_eq!(shown.len(), 106);
        assert_eq!(Secret::parse(&shown), Some((id, secret)));
        let (front, back) = shown.split_at(60);
        for wrong in [
            String::new(),
            "seatwise_".to_owned(),
            "seatwise__".to_owned(),
            shown[1..].to_owned(),
            shown[..105].to_owned(),
            format!("{shown}0"),
            format!(" {shown}"),
            format!("{shown}\n"),
            shown.to_uppercase(),
            shown.replace("1f", "1F"),
            shown.replace("1f", "+f"),
            shown.replacen("1f", "é", 1),
            shown.replacen('_', "-", 1),
            format!("{front}_{}", &back[1..]),
            format!("seatwise_{}_{}", id.0, "1f".repeat(32)),
        ] {
            assert_eq!(Secret::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_its_secret_opens_a_key() {
        let secret = Secret::new([7; 32]);
        let key = Key {
            id: KeyId(Uuid::from_u128(1)),
            hash: secret.hash(),
            expires_at: None,
            revoked_at: None,
            used_at: None,
            created_at: 0,
        };
        assert!(key.is_opened_by(&secret));
        for bit in 0..256 {
            let mut other = [7; 32];
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.is_opened_by(&Secret::new(other)), "bit {bit}");
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
