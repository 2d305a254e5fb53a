//! Pages of lists: one place for sizes, tokens and what they are good for.

use tonic::Status;
use uuid::Uuid;

use seatwise_proto::v1::ErrorReason;

use super::parse::page_size;
use super::status::refuse;
use super::token::Tokens;

/// A page that was asked for.
pub(super) struct Page<'a> {
    tokens: &'a Tokens,
    kind: &'static str,
    scope: Vec<u8>,
    size: i64,
    /// Where the page begins: after this place.
    pub(super) after: Option<Vec<u8>>,
}

impl<'a> Page<'a> {
    /// Reads size and token. `scope` is everything else that the list depends on.
    pub(super) fn parse(
        tokens: &'a Tokens,
        kind: &'static str,
        scope: &[&[u8]],
        size: i32,
        token: &str,
    ) -> Result<Self, Status> {
        let size = page_size(size)?;
        let scope = scope.join(&0);
        let after = match token {
            "" => None,
            token => Some(
                tokens
                    .open(kind, &scope, token)
                    .ok_or_else(|| bad_token("page_token"))?,
            ),
        };
        Ok(Self {
            tokens,
            kind,
            scope,
            size,
            after,
        })
    }

    /// One more than the page holds, to see whether anything follows.
    pub(super) fn limit(&self) -> i64 {
        self.size + 1
    }

    /// The place as ids, for lists that are ordered by them.
    pub(super) fn after_ids<const N: usize>(&self) -> Result<Option<[Uuid; N]>, Status> {
        let Some(after) = &self.after else {
            return Ok(None);
        };
        let ids: Vec<Uuid> = after
            .chunks_exact(16)
            .filter_map(|id| Uuid::from_slice(id).ok())
            .collect();
        ids.try_into()
            .map(Some)
            .map_err(|_| bad_token("page_token"))
    }

    /// Cuts the rows to the page and gives the token of the next one.
    pub(super) fn cut<T>(&self, rows: &mut Vec<T>, place: impl Fn(&T) -> Vec<u8>) -> String {
        let size = usize::try_from(self.size).expect("at most the maximum");
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        rows.last()
            .map(|last| self.tokens.make(self.kind, &self.scope, &place(last)))
            .unwrap_or_default()
    }
}

/// A token or cursor that was not given out for this list.
pub(super) fn bad_token(field: &str) -> Status {
    let message = format!("{field}: is not a token of this list with these parameters; start over");
    refuse(
        ErrorReason::InvalidToken,
        message,
        &[("field", field.to_owned())],
    )
}
