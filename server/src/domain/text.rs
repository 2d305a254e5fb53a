//! Names and countries: parsed once, then trusted. Keys of names are folded here and nowhere else,
//! so that both engines agree on what is the same name.

use unicode_normalization::UnicodeNormalization;

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 256;
/// Longest principal name, in bytes.
const PRINCIPAL_NAME_BYTES_MAX: usize = 256;

/// A name for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Takes 1 to 256 characters without control characters and without space at either end.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text: String = text.nfc().collect();
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.chars().count() > NAME_CHARS_MAX {
            return Err("must have at most 256 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        if text.trim() != text {
            return Err("must not begin or end with a space");
        }
        Ok(Self(text))
    }

    /// The name as given, in NFC.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user's sign-in name. Two are the same if their keys are.
#[derive(Clone, Debug)]
pub struct PrincipalName {
    text: String,
    key: String,
}

impl PrincipalName {
    /// Takes `name@domain` of at most 256 bytes without spaces and control characters.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text: String = text.nfc().collect();
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.len() > PRINCIPAL_NAME_BYTES_MAX {
            return Err("must have at most 256 bytes");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("must not contain spaces or control characters");
        }
        match text.split_once('@') {
            Some((name, domain))
                if !name.is_empty() && !domain.is_empty() && !domain.contains('@') =>
            {
                let key = fold(&text);
                Ok(Self { text, key })
            }
            _ => Err("must have the form name@domain"),
        }
    }

    /// The name as given, in NFC.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The folded name, compared bytewise.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl PartialEq for PrincipalName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for PrincipalName {}

impl std::hash::Hash for PrincipalName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// An ISO 3166-1 alpha-2 country in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Takes two ASCII letters of either case. Which pairs are countries is not checked: the list
    /// changes, and a rule decides by equality only.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err("must be an ISO 3166-1 alpha-2 country like NL"),
        }
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters")
    }
}

/// Folds a name into the key by which it is unique and sorted: NFC, then full case folding.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let nfc: String = text.nfc().collect();
    caseless::default_case_fold_str(&nfc).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_every_case_and_composition() {
        for (a, b) in [
            ("Ada@Example.com", "ada@example.COM"),
            ("STRASSE@x.de", "straße@x.de"),
            ("\u{e9}va@x.hu", "E\u{301}va@x.hu"),
            ("ΣΊΣΥΦΟΣ@x.gr", "σίσυφος@x.gr"),
        ] {
            let (a, b) = (PrincipalName::parse(a), PrincipalName::parse(b));
            assert_eq!(a.expect("a name").key(), b.expect("a name").key());
        }
    }

    #[test]
    fn malformed_names_are_refused() {
        for bad in [
            "",
            "ada",
            "@x",
            "ada@",
            "a@b@c",
            "a da@x",
            "a\u{7}@x",
            "a\u{a0}b@x",
        ] {
            assert!(PrincipalName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(PrincipalName::parse(&format!("{}@x", "a".repeat(254))).is_ok());
        assert!(PrincipalName::parse(&format!("{}@x", "a".repeat(255))).is_err());
        for bad in ["", " a", "a ", "a\nb", &"a".repeat(257)] {
            assert!(DisplayName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(DisplayName::parse(&"é".repeat(256)).is_ok());
        for bad in ["", "N", "NLD", "N1", "é"] {
            assert!(Country::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Country::parse("nl").expect("a country").as_str(), "NL");
    }
}
