//! Ids: UUIDs with a meaning, so that a user's can never stand where a product's belongs.

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the hyphenated form of 36 characters, in either case. The error says what is
            /// wrong with the text.
            pub fn parse(text: &str) -> Result<Self, &'static str> {
                parse_uuid(text).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

ids! {
    /// Names a customer.
    CustomerId,
    /// Names a user within its customer.
    UserId,
    /// Names a product of the catalogue.
    ProductId,
    /// Names a service plan of the catalogue.
    PlanId,
    /// Names a batch within its customer.
    BatchId,
    /// Names a frozen selection within its customer.
    SelectionId,
    /// Names a request, chosen by the caller, within its customer.
    RequestId,
    /// Names somebody who calls.
    PrincipalId,
    /// Names a grant.
    GrantId,
    /// Names an API key; no secret.
    KeyId,
}

/// Says whether a text has the shape of an id, which no principal name has.
pub(crate) fn looks_like_id(text: &str) -> bool {
    !text.contains('@')
}

fn parse_uuid(text: &str) -> Result<Uuid, &'static str> {
    const PROBLEM: &str = "must be a UUID like 018f3c1e-7b5a-7cc4-9d0e-2f6a1b3c4d5e";
    // The parser also takes braces, URNs and 32 digits; one form keeps logs and files searchable.
    if text.len() != 36 {
        return Err(PROBLEM);
    }
    match Uuid::try_parse(text) {
        Ok(id) if id.is_nil() => Err("must not be the nil UUID"),
        Ok(id) => Ok(id),
        Err(_) => Err(PROBLEM),
    }
}

#[cfg(test)]
mod tests {
    use super::UserId;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = "018f3c1e-7b5a-7cc4-9d0e-2f6a1b3c4d5e";
        assert_eq!(
            UserId::parse(&id.to_uppercase())
                .expect("upper case")
                .to_string(),
            id
        );
        for bad in [
            "",
            "ada",
            "018f3c1e7b5a7cc49d0e2f6a1b3c4d5e",
            "{018f3c1e-7b5a-7cc4-9d0e-2f6a1b3c4d5e}",
            "urn:uuid:018f3c1e-7b5a-7cc4-9d0e-2f6a1b3c4d5e",
            "018f3c1e-7b5a-7cc4-9d0e-2f6a1b3c4d5g",
            "00000000-0000-0000-0000-000000000000",
            " 18f3c1e-7b5a-7cc4-9d0e-2f6a1b3c4d5e",
        ] {
            assert!(UserId::parse(bad).is_err(), "{bad:?} was taken for an id");
        }
    }
}
