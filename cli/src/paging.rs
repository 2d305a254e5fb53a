//! Lists: whole, however long they are, or one page of them with the ways on from it.

use std::collections::HashSet;

use clap::{Args, ValueEnum};
use seatwise_client::v1;
use serde_json::json;

use crate::command_line;
use crate::error::Error;
use crate::output::{self, Format, Printer, Row};
use crate::text::text;

/// The largest page that the server gives.
pub(crate) const PAGE_SIZE: i32 = 1_000;

#[derive(Args)]
pub(crate) struct Limit {
    /// Print so many at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// How much of a list to print. Without any of it all of the list is printed.
#[derive(Args)]
pub(crate) struct Paging {
    #[command(flatten)]
    limit: Limit,
    /// Print one page: the first, the last, or the one next or previous to that of --page-token. It
    /// ends with the command lines of the pages around it
    #[arg(long, value_enum, conflicts_with = "limit", help_heading = "Pages")]
    page: Option<Step>,
    /// Print the page that an earlier one, listed in the same way, has named
    #[arg(
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        conflicts_with = "limit",
        help_heading = "Pages"
    )]
    page_token: Option<String>,
    /// Print one page of so many
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "limit",
        value_parser = clap::value_parser!(i32).range(1..=i64::from(PAGE_SIZE)),
        help_heading = "Pages"
    )]
    page_size: Option<i32>,
    /// Say how many there are in all
    #[arg(long, help_heading = "Pages")]
    total: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    First,
    Next,
    Previous,
    Last,
}

/// What to ask the server for.
#[derive(Clone, Default)]
pub(crate) struct Ask {
    pub(crate) page_size: i32,
    pub(crate) page_token: String,
    pub(crate) include_total_size: bool,
}

/// A page: its items and the tokens of others, empty where there is none.
pub(crate) struct Page<M> {
    items: Vec<M>,
    next: String,
    previous: String,
    last: String,
    total: Option<i64>,
}

macro_rules! pages {
    ($($response:ident $items:ident $item:ident,)*) => { $(
        impl From<v1::$response> for Page<v1::$item> {
            fn from(page: v1::$response) -> Self {
                Self {
                    items: page.$items,
                    next: page.next_page_token,
                    previous: page.previous_page_token,
                    last: page.last_page_token,
                    total: page.total_size,
                }
            }
        }
    )* };
}

pages! {
    ListAssignmentsResponse assignments Assignment,
    ListBatchesResponse batches Batch,
    ListCustomersResponse customers Customer,
    ListLicensesResponse licenses License,
    ListPrincipalsResponse principals Principal,
    ListProductsResponse products Product,
    ListHoldersResponse users User,
    ListSelectionUsersResponse users User,
    ListUsersResponse users User,
}

/// Lists that only go forward.
macro_rules! forward_pages {
    ($($response:ident($item:ident) $items:ident)*) => { $(
        impl From<v1::$response> for Page<v1::$item> {
            fn from(page: v1::$response) -> Self {
                Self {
                    items: page.$items,
                    next: page.next_page_token,
                    previous: String::new(),
                    last: String::new(),
                    total: None,
                }
            }
        }
    )* };
}

forward_pages! {
    ListGainedPlansResponse(GainedPlans) assignments
    ListHistoryResponse(HistoryRecord) records
    ListRulesResponse(Rule) rules
    ListViolationsResponse(Violator) users
}

/// Reads an option that is yes or no.
pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
}

/// Prints a list while it comes, or one page of it. Returns the number of rows.
pub(crate) async fn print<M: Row>(
    format: Format,
    paging: &Paging,
    mut page: impl AsyncFnMut(Ask) -> Result<Page<M>, Error>,
) -> Result<usize, Error> {
    let is_page =
        paging.page.is_some() || paging.page_token.is_some() || paging.page_size.is_some();
    if is_page {
        return print_page(format, paging, page).await;
    }
    let mut total = None;
    let with_total = paging.total;
    let rows = print_all(format, &paging.limit, async |ask: Ask| {
        let include_total_size = with_total && ask.page_token.is_empty();
        let page = page(Ask {
            include_total_size,
            ..ask
        })
        .await?;
        total = total.or(page.total);
        Ok(page)
    })
    .await?;
    if let Some(total) = total {
        note_total(format, total);
    }
    Ok(rows)
}

/// Prints a whole list while it comes. Returns the number of rows.
pub(crate) async fn print_all<M: Row>(
    format: Format,
    limit: &Limit,
    page: impl AsyncFnMut(Ask) -> Result<Page<M>, Error>,
) -> Result<usize, Error> {
    let mut printer = Printer::of::<M>(format);
    let mut rows = 0;
    let print = |item| {
        rows += 1;
        printer.row(&item)
    };
    for_each(limit, page, print).await?;
    printer.finish()?;
    Ok(rows)
}

/// Prints one page, and beside it how to get to the others.
async fn print_page<M: Row>(
    format: Format,
    paging: &Paging,
    mut page: impl AsyncFnMut(Ask) -> Result<Page<M>, Error>,
) -> Result<usize, Error> {
    let ask = |page_token: String| Ask {
        page_size: paging.page_size.unwrap_or(0),
        page_token,
        include_total_size: paging.total,
    };
    let given = paging.page_token.clone().unwrap_or_default();
    match (paging.page, given.is_empty()) {
        (Some(Step::First), false) => return Err(Error::Input(text!("page-first-with-token"))),
        (Some(Step::Next | Step::Previous), true) => {
            return Err(Error::Input(text!("page-without-token")));
        }
        _ => {}
    }
    let mut shown = match paging.page {
        Some(Step::First) => page(ask(String::new())).await?,
        _ => page(ask(given)).await?,
    };
    let step = match paging.page {
        None | Some(Step::First) => None,
        Some(Step::Next) => Some((&shown.next, text!("page-is-last"))),
        Some(Step::Previous) => Some((&shown.previous, text!("page-is-first"))),
        // The last page says of itself that there is no other.
        Some(Step::Last) if shown.last.is_empty() => None,
        Some(Step::Last) => Some((&shown.last, String::new())),
    };
    if let Some((token, end)) = step {
        if token.is_empty() {
            return Err(Error::Input(end));
        }
        shown = page(ask(token.clone())).await?;
    }
    let mut printer = Printer::of::<M>(format);
    for item in &shown.items {
        printer.row(item)?;
    }
    printer.finish()?;
    note_ways(format, &shown);
    Ok(shown.items.len())
}

/// Says where the other pages are: to people as the command lines that print them.
fn note_ways<M>(format: Format, page: &Page<M>) {
    if format == Format::Json {
        let ways = json!({
            "next_page_token": page.next,
            "previous_page_token": page.previous,
            "last_page_token": page.last,
            "total_size": page.total,
        });
        return output::note(&ways.to_string());
    }
    if let Some(total) = page.total {
        note_total(format, total);
    }
    let to = |with: [&str; 2]| command_line::again(&["--page=", "--page-token="], &with);
    if !page.next.is_empty() {
        let command = to(["--page-token", &page.next]);
        output::note(&text!("page-next", command = command));
    }
    if !page.previous.is_empty() {
        let command = to(["--page-token", &page.previous]);
        output::note(&text!("page-previous", command = command));
        output::note(&text!("page-first", command = to(["--page", "first"])));
    }
    if !page.last.is_empty() {
        output::note(&text!("page-last", command = to(["--page", "last"])));
    }
}

fn note_total(format: Format, total: i64) {
    output::note(&match format {
        Format::Json => json!({ "total_size": total }).to_string(),
        _ => text!("in-all", count = total),
    });
}

/// Collects a list that is known to be short.
pub(crate) async fn collect<M>(
    page: impl AsyncFnMut(Ask) -> Result<Page<M>, Error>,
) -> Result<Vec<M>, Error> {
    let mut items = Vec::new();
    let push = |item| {
        items.push(item);
        Ok(())
    };
    for_each(&Limit { limit: None }, page, push).await?;
    Ok(items)
}

/// Does something with each item of a list while it comes.
pub(crate) async fn for_each<M>(
    limit: &Limit,
    mut page: impl AsyncFnMut(Ask) -> Result<Page<M>, Error>,
    mut visit: impl FnMut(M) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut left = limit.limit.unwrap_or(u64::MAX);
    let mut page_token = String::new();
    let mut tokens = HashSet::new();
    loop {
        let page_size = i32::try_from(left).map_or(PAGE_SIZE, |left| left.min(PAGE_SIZE));
        let ask = Ask {
            page_size,
            page_token,
            include_total_size: false,
        };
        let Page { items, next, .. } = page(ask).await?;
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
        page_token = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(items: Vec<i32>, next: String) -> Page<i32> {
        let (previous, last, total) = Default::default();
        Page {
            items,
            next,
            previous,
            last,
            total,
        }
    }

    async fn pages(ask: Ask) -> Result<Page<i32>, Error> {
        let first = ask.page_token.parse().unwrap_or(0);
        let next = first + ask.page_size.min(2);
        let token = if next < 5 {
            next.to_string()
        } else {
            String::new()
        };
        Ok(page_of((first..next.min(5)).collect(), token))
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
        let page = async |_| Ok(page_of(vec![1], "same".to_owned()));
        assert!(collect(page).await.is_err());
    }
}
