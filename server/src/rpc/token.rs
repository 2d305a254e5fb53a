//! Page tokens and cursors: opaque, and unforgeable because they carry a tag made with the
//! installation's secret. A token is good for one kind of list with one set of parameters.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::{BatchId, CustomerId, ProductId};

const TAG_BYTES: usize = 12;

/// Kinds of tokens that are good for one request, by the field that takes them.
pub(super) const PLAN: &str = "plan_token";
pub(super) const CONFIRMATION: &str = "confirmation";
/// Confirmations of fewer seats than are assigned.
const SEATS: &str = "seats";

/// Makes and opens tokens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tokens(Hmac<Sha256>);

impl Tokens {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// A token that says `place` within the list `kind` with the parameters `scope`.
    pub(super) fn make(&self, kind: &str, scope: &[u8], place: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(place.len() + TAG_BYTES);
        bytes.extend(place);
        bytes.extend(self.tag(kind, scope, place));
        BASE64.encode(bytes)
    }

    /// The place that a token says, if it was made here for this list.
    pub(super) fn open(&self, kind: &str, scope: &[u8], token: &str) -> Option<Vec<u8>> {
        let mut bytes = BASE64.decode(token).ok()?;
        let tag = bytes.split_off(bytes.len().checked_sub(TAG_BYTES)?);
        (self.tag(kind, scope, &bytes) == *tag).then_some(bytes)
    }

    /// The cursor after which exactly the results from `position` on follow.
    pub(super) fn cursor(&self, batch: BatchId, position: i64) -> String {
        self.make("results", batch.0.as_bytes(), &position_key(position))
    }

    /// The position that a cursor of the batch says.
    pub(super) fn position(&self, batch: BatchId, cursor: &str) -> Option<i64> {
        read_position(&self.open("results", batch.0.as_bytes(), cursor)?)
    }

    /// The token after which exactly the changes from `position` on follow.
    pub(super) fn watch(&self, customer: CustomerId, position: i64) -> String {
        self.make("changes", customer.0.as_bytes(), &position_key(position))
    }

    /// The position that a watch token of the customer says.
    pub(super) fn watched(&self, customer: CustomerId, token: &str) -> Option<i64> {
        read_position(&self.open("changes", customer.0.as_bytes(), token)?)
    }

    /// A token that says a digest about the request with this hash.
    pub(super) fn make_bound(&self, kind: &str, request: &[u8; 32], digest: &[u8; 32]) -> String {
        self.make(kind, b"", &[*request, *digest].concat())
    }

    /// The hash of the request that a token is about, and the digest; none if the text is no token.
    pub(super) fn open_bound(&self, kind: &str, token: &str) -> Option<([u8; 32], [u8; 32])> {
        let bytes = self.open(kind, b"", token)?;
        let (request, digest) = bytes.split_at_checked(32)?;
        Some((request.try_into().ok()?, digest.try_into().ok()?))
    }

    /// Confirms that so many seats of a license are assigned and fewer assignable.
    pub(super) fn confirm_seats(
        &self,
        customer: CustomerId,
        product: ProductId,
        numbers: [i64; 2],
    ) -> String {
        let place = numbers.map(i64::to_be_bytes).concat();
        self.make(SEATS, &license(customer, product), &place)
    }

    /// The numbers that were confirmed of a license, if the confirmation was made here for it.
    pub(super) fn confirmed_seats(
        &self,
        customer: CustomerId,
        product: ProductId,
        token: &str,
    ) -> Option<[i64; 2]> {
        let place = self.open(SEATS, &license(customer, product), token)?;
        let (assigned, assignable) = place.split_at_checked(8)?;
        let number = |bytes: &[u8]| Some(i64::from_be_bytes(bytes.try_into().ok()?));
        Some([number(assigned)?, number(assignable)?])
    }

    fn tag(&self, kind: &str, scope: &[u8], place: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = self.0.clone();
        for part in [kind.as_bytes(), scope, place] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let tag = mac.finalize().into_bytes();
        tag[..TAG_BYTES].try_into().expect("the tag is longer")
    }
}

/// A position in five bytes, so that tokens are short.
fn position_key(position: i64) -> [u8; 5] {
    let [_, _, _, key @ ..] = position.to_be_bytes();
    key
}

fn read_position(key: &[u8]) -> Option<i64> {
    let mut position = [0; 8];
    position[3..].copy_from_slice(key.get(..5)?);
    Some(i64::from_be_bytes(position))
}

fn license(customer: CustomerId, product: ProductId) -> Vec<u8> {
    [customer.0, product.0].map(uuid::Uuid::into_bytes).concat()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_token_opens_only_where_it_was_made() {
        let tokens = Tokens::new(b"secret");
        let token = tokens.make("users", b"customer", b"place");
        assert_eq!(
            tokens.open("users", b"customer", &token),
            Some(b"place".to_vec())
        );
        assert_eq!(tokens.open("batches", b"customer", &token), None);
        assert_eq!(tokens.open("users", b"other", &token), None);
        assert_eq!(
            Tokens::new(b"other").open("users", b"customer", &token),
            None
        );
        for place in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert_eq!(tokens.open("users", b"customer", &forged), None, "{place}");
        }
        for bad in ["", "A", "!!", &token[1..]] {
            assert_eq!(tokens.open("users", b"customer", bad), None);
        }
    }

    #[test]
    fn a_confirmation_of_seats_says_its_numbers_of_its_license_only() {
        let tokens = Tokens::new(b"secret");
        let customer = |number| CustomerId(Uuid::from_u128(number));
        let product = |number| ProductId(Uuid::from_u128(number));
        let token = tokens.confirm_seats(customer(1), product(2), [25, 20]);
        let open = |customer, product| tokens.confirmed_seats(customer, product, &token);
        assert_eq!(open(customer(1), product(2)), Some([25, 20]));
        assert_eq!(open(customer(2), product(1)), None);
        assert_eq!(open(customer(1), product(3)), None);
        assert_eq!(open(customer(3), product(2)), None);
    }

    #[test]
    fn a_cursor_says_its_position_in_its_batch_only() {
        let tokens = Tokens::new(b"secret");
        let batch = BatchId(Uuid::from_u128(1));
        for position in [0, 1, 499, 1_000_000] {
            let cursor = tokens.cursor(batch, position);
            assert!(cursor.len() <= 64);
            assert_eq!(tokens.position(batch, &cursor), Some(position));
            assert_eq!(tokens.position(BatchId(Uuid::from_u128(2)), &cursor), None);
        }
    }

    #[test]
    fn a_watch_token_says_its_position_in_its_customers_journal_only() {
        let tokens = Tokens::new(b"secret");
        let customers = [1, 2].map(|id| CustomerId(Uuid::from_u128(id)));
        let token = tokens.watch(customers[0], 1_000_000);
        assert_eq!(tokens.watched(customers[0], &token), Some(1_000_000));
        assert_eq!(tokens.watched(customers[1], &token), None);
        let cursor = tokens.cursor(BatchId(customers[0].0), 7);
        assert_eq!(tokens.watched(customers[0], &cursor), None);
    }
}
