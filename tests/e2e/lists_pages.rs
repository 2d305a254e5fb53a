//! Pages of every list but that of users: first, next, previous and last, totals and filters.

use std::collections::BTreeSet;

use seatwise_client::Error;
use seatwise_client::v1::product::AppliesTo;
use seatwise_client::v1::{
    CreateCustomerRequest, ListAssignmentsRequest, ListBatchesRequest, ListCustomersRequest,
    ListLicensesRequest, ListProductsRequest, batch,
};

use crate::customer::Customer;
use crate::fixtures::product::{NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{UNKNOWN_ID, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};

/// A page of any list: the keys of its items and where to go from it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) keys: Vec<String>,
    pub(crate) next: String,
    pub(crate) previous: String,
    pub(crate) last: String,
    pub(crate) total: Option<i64>,
}

/// Asks for a page: size, token, and whether to count.
pub(crate) type Ask = (i32, String, bool);

/// Makes a function that lists with a request.
macro_rules! list {
    ($client:expr, $list:ident, $request:expr, $items:ident, $key:expr) => {{
        let (client, request) = ($client.clone(), $request);
        async move |(page_size, page_token, include_total_size): crate::lists_pages::Ask| {
            let mut request = request.clone();
            request.page_size = page_size;
            request.page_token = page_token;
            request.include_total_size = include_total_size;
            let page = client.$list(request).await?;
            Ok::<_, seatwise_client::Error>(crate::lists_pages::Page {
                keys: page.$items.iter().map($key).collect(),
                next: page.next_page_token,
                previous: page.previous_page_token,
                last: page.last_page_token,
                total: page.total_size,
            })
        }
    }};
}

pub(crate) use list;

/// Goes through the list in every direction, with pages of several sizes.
pub(crate) async fn assert_moves(
    what: &str,
    list: impl AsyncFn(Ask) -> Result<Page, Error>,
    expected: &[String],
) {
    let get = async |size: usize, token: &str| {
        let page = list((size as i32, token.to_owned(), false)).await;
        let page = page.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(page.total, None, "{what}: nobody asked");
        assert!(page.keys.len() <= size, "{what}");
        for token in [&page.next, &page.previous, &page.last] {
            assert!(token.len() <= 2_200, "{what}: {token}");
        }
        page
    };
    let total = list((1, String::new(), true)).await.expect("a page").total;
    assert_eq!(total, Some(expected.len() as i64), "{what}");
    for size in [1, 2, 3, expected.len().max(1), expected.len() + 1] {
        let first = get(size, "").await;
        assert_eq!(first.previous, "", "{what}: nothing is before the first");
        assert_eq!(first.keys, expected[..size.min(expected.len())], "{what}");
        assert_eq!(first.last.is_empty(), first.next.is_empty(), "{what}");

        // To the end, page by page, and back.
        let (mut seen, mut page) = (first.keys.clone(), get(size, "").await);
        while !page.next.is_empty() {
            page = get(size, &page.next).await;
            assert!(!page.keys.is_empty(), "{what}: an empty page was named");
            assert!(!page.previous.is_empty(), "{what}");
            seen.extend(page.keys.clone());
        }
        assert_eq!(seen, expected, "{what} forward by {size}");
        assert_eq!(page.last, "", "{what}: this is the last");
        assert_back(what, &get, size, page, expected).await;

        // At once to the end, and back.
        if !first.last.is_empty() {
            let last = get(size, &first.last).await;
            assert_eq!(last.keys, expected[expected.len() - size..], "{what}");
            assert_eq!((&*last.next, &*last.last), ("", ""), "{what}");
            assert_back(what, &get, size, last, expected).await;
        }
    }
}

/// Goes back from the last page to the first, and on from there to the second.
async fn assert_back(
    what: &str,
    get: &impl AsyncFn(usize, &str) -> Page,
    size: usize,
    mut page: Page,
    expected: &[String],
) {
    let mut seen = page.keys.clone();
    while !page.previous.is_empty() {
        page = get(size, &page.previous).await;
        assert!(!page.next.is_empty() && !page.last.is_empty(), "{what}");
        seen.splice(0..0, page.keys.clone());
    }
    assert_eq!(seen, expected, "{what} back by {size}");
    if !page.next.is_empty() {
        let on = get(size, &page.next).await;
        let after = &expected[page.keys.len()..];
        assert_eq!(on.keys, after[..size.min(after.len())], "{what}");
    }
}

/// Names in the order of the list: equal but for case, with and without accents. Folded names are
/// compared by code point, so that é comes after z.
pub(crate) const NAMES: [&str; 7] = ["ada", "Ada", "ADAM", "Bob", "bob", "zoë", "Éva"];

async fn every_list_goes_first_next_previous_and_last(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(7).await;
    for product in [SUITE, NOTES, VIDEO, VOICE] {
        customer.set_seats(product, 7).await;
    }
    customer.give(&[SUITE, NOTES], &user_ids(7)).await;
    customer.give(&[VIDEO], &user_ids(3)).await;
    customer.revoke(&[VIDEO], &user_ids(1)).await;
    let (client, customer_id) = (&customer.client, customer.id.clone());

    let request = ListAssignmentsRequest {
        customer_id: customer_id.clone(),
        ..Default::default()
    };
    let all = pairs(&[SUITE, NOTES], 0..7)
        .into_iter()
        .chain(pairs(&[VIDEO], 1..3));
    let of_user = |number| ListAssignmentsRequest {
        user: format!("USER{number}@example.com"),
        ..request.clone()
    };
    let of_product = |product: &str| ListAssignmentsRequest {
        product_id: product.to_owned(),
        ..request.clone()
    };
    let cases = [
        (request.clone(), all.collect::<BTreeSet<_>>()),
        (of_user(2), pairs(&[SUITE, NOTES, VIDEO], 2..3)),
        (of_product(SUITE), pairs(&[SUITE], 0..7)),
        (of_product(VIDEO), pairs(&[VIDEO], 1..3)),
        (of_product(UNKNOWN_ID), BTreeSet::new()),
    ];
    for (request, expected) in cases {
        let what = format!("{request:?}");
        let list = list!(client, list_assignments, request, assignments, |a| {
            format!("{} {}", a.user_id, a.product_id)
        });
        assert_moves(&what, list, &expected.into_iter().collect::<Vec<_>>()).await;
    }

    let mut batches: Vec<_> = customer.batches().await;
    batches.sort_by(|a, b| b.batch_id.cmp(&a.batch_id));
    let ids: Vec<String> = batches.into_iter().map(|batch| batch.batch_id).collect();
    for (state, expected) in [
        (batch::State::Unspecified, &ids[..]),
        (batch::State::Ended, &ids[..]),
        (batch::State::Running, &[]),
    ] {
        let request = ListBatchesRequest {
            customer_id: customer_id.clone(),
            state: state.into(),
            ..Default::default()
        };
        let list = list!(client, list_batches, request, batches, |b| b
            .batch_id
            .clone());
        assert_moves("batches", list, expected).await;
    }
    licenses_and_products(&customer).await;
}

fn pairs(products: &[&str], users: std::ops::Range<usize>) -> BTreeSet<String> {
    let of_user = |number| {
        products
            .iter()
            .map(move |p| format!("{} {p}", user_id(number)))
    };
    users.flat_map(of_user).collect()
}

async fn licenses_and_products(customer: &Customer) {
    let (client, customer_id) = (&customer.client, customer.id.clone());
    // Suite and notes have no seat left.
    for (available, expected) in [
        (None, vec!["Notes", "Suite", "Video", "Voice"]),
        (Some(true), vec!["Video", "Voice"]),
        (Some(false), vec!["Notes", "Suite"]),
    ] {
        let request = ListLicensesRequest {
            customer_id: customer_id.clone(),
            available,
            ..Default::default()
        };
        let list = list!(client, list_licenses, request, licenses, |l| l
            .display_name
            .clone());
        assert_moves("licenses", list, &strings(&expected)).await;
    }
    let all = [
        "Backup", "Dial", "Mailbox", "Notes", "Phone", "Suite", "Video", "Voice",
    ];
    let any = ListProductsRequest::default();
    let search = |text: &str| ListProductsRequest {
        search: text.to_owned(),
        ..any.clone()
    };
    let retired = |retired| ListProductsRequest {
        retired: Some(retired),
        ..any.clone()
    };
    let for_company = ListProductsRequest {
        applies_to: AppliesTo::Company.into(),
        ..any.clone()
    };
    let named = ListProductsRequest {
        string_id: "sUiTe".to_owned(),
        ..any.clone()
    };
    for (request, expected) in [
        (any.clone(), &all[..]),
        (search("V"), &all[6..]),
        (search("x"), &[]),
        (retired(false), &all[..]),
        (retired(true), &[]),
        (for_company, &all[..1]),
        (named, &all[5..6]),
    ] {
        let what = format!("{request:?}");
        let list = list!(client, list_products, request, products, |p| p
            .display_name
            .clone());
        assert_moves(&what, list, &strings(expected)).await;
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn customers_are_listed_by_name_whatever_its_case(server: &Harness) {
    server.start().await;
    let client = server.client();
    for (number, name) in NAMES.iter().enumerate().rev() {
        let request = CreateCustomerRequest {
            customer_id: user_id(number),
            display_name: (*name).to_owned(),
            comment: String::new(),
        };
        client.create_customer(request).await.expect("it is new");
    }
    for (search, expected) in [
        ("", &NAMES[..]),
        ("AD", &NAMES[..3]),
        ("adam", &NAMES[2..3]),
        ("É", &NAMES[6..]),
        ("e", &[]),
    ] {
        let request = ListCustomersRequest {
            search: search.to_owned(),
            ..Default::default()
        };
        let list = list!(client, list_customers, request, customers, |c| c
            .display_name
            .clone());
        assert_moves(search, list, &strings(expected)).await;
    }
}

on_every_engine![
    every_list_goes_first_next_previous_and_last,
    customers_are_listed_by_name_whatever_its_case,
];
