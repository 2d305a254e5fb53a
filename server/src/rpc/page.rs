//! Pages of lists: one place for sizes, tokens and what they are good for.

use prost::{Message, Name};
use seatwise_proto::v1::{self, ErrorReason};
use tonic::Status;
use uuid::Uuid;

use super::parse::page_size;
use super::status::refuse;
use super::token::Tokens;
use crate::domain::Place;
use crate::service::Slice;

/// A request for a page of a list.
pub(super) trait ListRequest: Message + Name + Clone {
    /// Takes out what differs between pages of one list: size, token and the wish for a count.
    fn take_paging(&mut self) -> (i32, String, bool);
}

macro_rules! list_requests {
    ($($request:ident)*) => { $(
        impl ListRequest for v1::$request {
            fn take_paging(&mut self) -> (i32, String, bool) {
                (
                    std::mem::take(&mut self.page_size),
                    std::mem::take(&mut self.page_token),
                    std::mem::take(&mut self.include_total_size),
                )
            }
        }
    )* };
}

list_requests! {
    ListAssignmentsRequest ListBatchesRequest ListCustomersRequest ListHoldersRequest
    ListLicensesRequest ListPrincipalsRequest ListProductsRequest ListSelectionUsersRequest ListUsersRequest
}

/// Lists that only go forward, and are not counted.
macro_rules! forward_list_requests {
    ($($request:ident)*) => { $(
        impl ListRequest for v1::$request {
            fn take_paging(&mut self) -> (i32, String, bool) {
                let token = std::mem::take(&mut self.page_token);
                (std::mem::take(&mut self.page_size), token, false)
            }
        }
    )* };
}

forward_list_requests! {
    ListGainedPlansRequest ListHistoryRequest ListRulesRequest ListViolationsRequest
}

/// A page that was asked for.
pub(super) struct Page<'a> {
    tokens: &'a Tokens,
    kind: &'static str,
    scope: Vec<u8>,
    size: usize,
    place: Place<Vec<u8>>,
    with_total: bool,
}

/// Where a caller can go from a page; empty where there is nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) next: String,
    pub(super) previous: String,
    pub(super) last: String,
}

impl<'a> Page<'a> {
    /// Reads size and token, which must be one of a list with the same parameters.
    pub(super) fn parse<R: ListRequest>(tokens: &'a Tokens, request: &R) -> Result<Self, Status> {
        let mut request = request.clone();
        let (size, token, with_total) = request.take_paging();
        let size = page_size(size)?;
        let (kind, scope) = (R::NAME, request.encode_to_vec());
        let place = if token.is_empty() {
            Place::First
        } else {
            let place = tokens.open(kind, &scope, &token);
            place.and_then(decode).ok_or_else(bad_page_token)?
        };
        Ok(Self {
            tokens,
            kind,
            scope,
            size: usize::try_from(size).expect("at most the maximum"),
            place,
            with_total,
        })
    }

    /// What to read, by the key of the list: one row more than the page holds, to see whether
    /// anything lies beyond.
    pub(super) fn slice<K>(
        &self,
        read: impl FnOnce(&[u8]) -> Option<K>,
    ) -> Result<Slice<K>, Status> {
        let place = match self.place.map(|key| read(key)) {
            Place::First => Place::First,
            Place::After(key) => Place::After(key.ok_or_else(bad_page_token)?),
            Place::Before(key) => Place::Before(key.ok_or_else(bad_page_token)?),
            Place::Last => Place::Last,
        };
        Ok(Slice {
            place,
            limit: self.size as i64 + 1,
            with_total: self.with_total,
        })
    }

    /// How many rows the page holds at most.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The token of the page after a key, for a list that says itself where its pages end; empty
    /// without a key.
    pub(super) fn after(&self, key: Option<Vec<u8>>) -> String {
        let make = |key| {
            let place = encode(&Place::After(key));
            self.tokens.make(self.kind, &self.scope, &place)
        };
        key.map(make).unwrap_or_default()
    }

    /// Cuts the rows, which are in the order of the list, to the page, and says where to go from it.
    pub(super) fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> Vec<u8>) -> Ways {
        let has_more = rows.len() > self.size;
        if has_more && self.place.is_backward() {
            rows.remove(0);
        }
        rows.truncate(self.size);
        let before = || {
            rows.first()
                .map_or(Place::Last, |row| Place::Before(key(row)))
        };
        let after = || {
            rows.last()
                .map_or(Place::First, |row| Place::After(key(row)))
        };
        // Beyond the key of a place is what the caller came from, unless it is gone: then the way
        // leads to an empty page, and from there on to one that is not.
        let (previous, next, last) = match self.place {
            Place::First => (None, has_more.then(after), has_more.then_some(Place::Last)),
            Place::After(_) => {
                let last = has_more.then_some(Place::Last);
                (Some(before()), has_more.then(after), last)
            }
            Place::Before(_) => (has_more.then(before), Some(after()), Some(Place::Last)),
            Place::Last => (has_more.then(before), None, None),
        };
        let token = |place: Option<Place<Vec<u8>>>| {
            place.map_or_else(String::new, |place| {
                self.tokens.make(self.kind, &self.scope, &encode(&place))
            })
        };
        Ways {
            next: token(next),
            previous: token(previous),
            last: token(last),
        }
    }
}

fn encode(place: &Place<Vec<u8>>) -> Vec<u8> {
    let tag = match place {
        Place::First => b'f',
        Place::After(_) => b'a',
        Place::Before(_) => b'b',
        Place::Last => b'l',
    };
    let mut bytes = vec![tag];
    bytes.extend(place.key().into_iter().flatten());
    bytes
}

fn decode(bytes: Vec<u8>) -> Option<Place<Vec<u8>>> {
    let (tag, key) = bytes.split_first()?;
    match tag {
        b'f' => Some(Place::First),
        b'a' => Some(Place::After(key.to_vec())),
        b'b' => Some(Place::Before(key.to_vec())),
        b'l' => Some(Place::Last),
        _ => None,
    }
}

/// A key that is ids.
pub(super) fn ids_key<const N: usize>(ids: [Uuid; N]) -> Vec<u8> {
    ids.iter().flat_map(Uuid::as_bytes).copied().collect()
}

/// Reads a key that is ids.
pub(super) fn read_ids<const N: usize>(key: &[u8]) -> Option<[Uuid; N]> {
    let ids: Vec<Uuid> = key
        .chunks(16)
        .map(|id| Uuid::from_slice(id).ok())
        .collect::<Option<_>>()?;
    ids.try_into().ok()
}

/// A key that is an id and the text that the list is ordered by before it.
pub(super) fn name_key(text: &str, id: Uuid) -> Vec<u8> {
    [id.as_bytes(), text.as_bytes()].concat()
}

/// Reads a key that is a text and an id.
pub(super) fn read_name(key: &[u8]) -> Option<(String, Uuid)> {
    let (id, text) = key.split_at_checked(16)?;
    let text = String::from_utf8(text.to_vec()).ok()?;
    Some((text, Uuid::from_slice(id).ok()?))
}

/// A page token that was not given out for this list.
fn bad_page_token() -> Status {
    bad_token("page_token")
}

/// A token or cursor that was not given out for this list.
pub(super) fn bad_token(field: &str) -> Status {
    let message = format!(
        "{field}: was not given out for this list or stream with these parameters; start over"
    );
    refuse(
        ErrorReason::InvalidToken,
        message,
        &[("field", field.to_owned())],
    )
}
