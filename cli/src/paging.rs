//! Lists of any length, page by page.

use std::collections::HashSet;

use clap::Args;

use crate::error::Error;
use crate::output::{Format, Printer, Row};

/// The largest page that the server gives.
pub(crate) const PAGE_SIZE: i32 = 1_000;

#[derive(Args)]
pub(crate) struct Limit {
    /// Print so many at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// A page: its items and the token of the next one, empty after the last.
pub(crate) type Page<M> = (Vec<M>, String);

/// Prints a list while it comes. `page` gets the size and the token of the page to fetch.
pub(crate) async fn print<M: Row>(
    format: Format,
    limit: &Limit,
    page: impl AsyncFnMut(i32, String) -> Result<Page<M>, Error>,
) -> Result<(), Error> {
    let mut printer = Printer::of::<M>(format);
    for_each(limit, page, |item| printer.row(&item)).await?;
    printer.finish()
}

/// Collects a list that is known to be short.
pub(crate) async fn collect<M>(
    page: impl AsyncFnMut(i32, String) -> Result<Page<M>, Error>,
) -> Result<Vec<M>, Error> {
    let mut items = Vec::new();
    let push = |item| {
        items.push(item);
        Ok(())
    };
    for_each(&Limit { limit: None }, page, push).await?;
    Ok(items)
}

async fn for_each<M>(
    limit: &Limit,
    mut page: impl AsyncFnMut(i32, String) -> Result<Page<M>, Error>,
    mut visit: impl FnMut(M) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut left = limit.limit.unwrap_or(u64::MAX);
    let mut token = String::new();
    let mut tokens = HashSet::new();
    loop {
        let size = i32::try_from(left).map_or(PAGE_SIZE, |left| left.min(PAGE_SIZE));
        let (items, next) = page(size, token).await?;
        for item in items {
            visit(item)?;
            left -= 1;
            if left == 0 {
                return Ok(());
            }
        }
        if next.is_empty() {
            return Ok(());
        }
        if !tokens.insert(next.clone()) {
            let text = "the server repeats a page: the list has no end, and stops here";
            return Err(Error::Failed(text.to_owned()));
        }
        token = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pages(size: i32, token: String) -> Result<Page<i32>, Error> {
        let first = token.parse().unwrap_or(0);
        let next = first + size.min(2);
        let token = if next < 5 {
            next.to_string()
        } else {
            String::new()
        };
        Ok(((first..next.min(5)).collect(), token))
    }

    #[tokio::test]
    async fn a_list_is_all_of_its_pages() {
        assert_eq!(collect(pages).await.unwrap(), [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_limit_ends_the_list_within_a_page() {
        let mut items = Vec::new();
        let limit = Limit { limit: Some(3) };
        let push = |item| {
            items.push(item);
            Ok(())
        };
        for_each(&limit, pages, push).await.unwrap();
        assert_eq!(items, [0, 1, 2]);
    }

    #[tokio::test]
    async fn a_repeated_token_is_an_error() {
        let page = async |_, _| Ok((vec![1], "same".to_owned()));
        assert!(collect(page).await.is_err());
    }
}
