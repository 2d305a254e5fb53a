//! A user's result with its reasons in words.

use std::iter::repeat;
use std::ops::Deref;

use seatwise_proto::v1::{BatchResult, ListBatchResultsResponse};

/// What became of one user, and why in words. Reads as the [`BatchResult`] that it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct UserResult {
    /// What became of the user: the same whoever asks.
    pub result: BatchResult,
    /// One text for each of `result.reasons`, for people.
    pub reason_texts: Vec<String>,
    /// The language of the texts, as `en`; empty without texts.
    pub locale: String,
}

impl UserResult {
    /// The results of a page.
    pub fn of_page(page: ListBatchResultsResponse) -> impl Iterator<Item = Self> {
        let ListBatchResultsResponse {
            results,
            texts,
            locale,
            ..
        } = page;
        let texts = texts.into_iter().map(|texts| texts.texts);
        let results = results.into_iter().zip(texts.chain(repeat(Vec::new())));
        results.map(move |(result, reason_texts)| Self {
            result,
            locale: match reason_texts.as_slice() {
                [] => String::new(),
                _ => locale.clone(),
            },
            reason_texts,
        })
    }
}

impl Deref for UserResult {
    type Target = BatchResult;

    fn deref(&self) -> &BatchResult {
        &self.result
    }
}
