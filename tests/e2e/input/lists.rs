//! Bad page sizes, tokens and cursors.

use seatwise_client::Code;
use seatwise_client::transport::v1::ErrorReason::{InvalidToken, ResourceNotFound};
use seatwise_client::v1::{
    GetBatchRequest, ListAssignmentsRequest, ListBatchResultsRequest, ListBatchesRequest,
    ListCustomersRequest, ListLicensesRequest, ListProductsRequest, ListRulesRequest,
    ListUsersRequest,
};

use super::BadInput;
use crate::fixtures::{UNKNOWN_ID, user_id};

pub(super) async fn refused(bad: &mut BadInput<'_>) {
    sizes(bad).await;
    tokens(bad).await;
    tokens_of_others(bad).await;
    cursors(bad).await;
    parameters(bad).await;
}

async fn sizes(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let call = client.list_users(users(&bad.customer.id, -1, ""));
    bad.invalid("a negative size", call, "page_size").await;
    let request = ListProductsRequest {
        page_size: i32::MIN,
        ..Default::default()
    };
    let call = client.list_products(request);
    bad.invalid("a very negative size", call, "page_size").await;
}

async fn tokens(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let place = ("field", "page_token");
    let good = client.list_users(users(&bad.customer.id, 1, "")).await;
    let good = good.expect("a page").next_page_token;
    assert!((1..=2_200).contains(&good.len()));
    let mut forged = good.clone().into_bytes();
    forged[0] = if forged[0] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("ASCII");
    let (long, cut) = ("A".repeat(10_000), good[1..].to_owned());
    for token in ["x", "!", "\0", &long, &cut, &forged, &format!("{good}A")] {
        let call = client.list_users(users(&bad.customer.id, 1, token));
        bad.refused("a bad token", call, InvalidToken, place).await;
    }
}

async fn tokens_of_others(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let place = ("field", "page_token");
    let token = client.list_users(users(&bad.customer.id, 1, "")).await;
    let token = token.expect("a page").next_page_token;
    let call = client.list_users(users(&bad.stranger.id, 1, &token));
    bad.refused("another customer's token", call, InvalidToken, place)
        .await;
    tokens_of_users(bad, &token).await;

    let all = ListProductsRequest {
        page_size: 1,
        ..Default::default()
    };
    let all = client.list_products(all).await.expect("a page");
    let one = ListProductsRequest {
        page_size: 1,
        page_token: all.next_page_token,
        string_id: "SUITE".to_owned(),
        ..Default::default()
    };
    let call = client.list_products(one);
    bad.refused("of all, for some", call, InvalidToken, place)
        .await;
}

/// A token of the list of users is none of any other list.
async fn tokens_of_users(bad: &mut BadInput<'_>, token: &str) {
    macro_rules! refused {
        ($client:ident: $($list:ident $request:ident { $($field:ident: $value:expr),* };)*) => { $(
            let request = {
                let mut request = $request::default();
                request.page_size = 1;
                token.clone_into(&mut request.page_token);
                $(request.$field = $value;)*
                request
            };
            let call = $client.$list(request);
            let what = concat!("a token of users for ", stringify!($list));
            bad.refused(what, call, InvalidToken, ("field", "page_token")).await;
        )* };
    }
    let client = bad.customer.client.clone();
    let customer = || bad.customer.id.clone();
    let (one, two, three) = (customer(), customer(), customer());
    refused! { client:
        list_licenses ListLicensesRequest { customer_id: one };
        list_batches ListBatchesRequest { customer_id: two };
        list_assignments ListAssignmentsRequest { customer_id: three, user: String::new() };
        list_customers ListCustomersRequest {};
        list_rules ListRulesRequest {};
        list_products ListProductsRequest { string_id: String::new() };
    }
}

async fn cursors(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let customer_id = bad.customer.id.clone();
    let [batch, other] = &bad.customer.batches().await[..] else {
        panic!("two batches were prepared");
    };
    let list = |batch_id: &str, token: &str| ListBatchResultsRequest {
        customer_id: customer_id.clone(),
        batch_id: batch_id.to_owned(),
        page_size: 1,
        page_token: token.to_owned(),
    };
    let token = client.list_batch_results(list(&batch.batch_id, "")).await;
    let token = token.expect("a page").next_page_token;
    for wrong in ["x", &token[1..], &token.to_lowercase()] {
        let request = list(&batch.batch_id, wrong);
        let call = client.list_batch_results(request);
        bad.refused("a bad token", call, InvalidToken, ("field", "page_token"))
            .await;
        let mut stream = client.batch_results(&customer_id, &batch.batch_id, wrong);
        let call = async { stream.accepted().await.map(|_| ()) };
        bad.refused("a bad cursor", call, InvalidToken, ("field", "cursor"))
            .await;
    }
    // A cursor is good for its own batch only.
    let call = client.list_batch_results(list(&other.batch_id, &token));
    let place = ("field", "page_token");
    bad.refused("another batch's cursor", call, InvalidToken, place)
        .await;

    // Another customer's batch is like one that does not exist.
    let strange = (bad.stranger.id.clone(), batch.batch_id.clone());
    for (customer_id, batch_id) in [strange, (customer_id, UNKNOWN_ID.to_owned())] {
        let mut stream = client.batch_results(&customer_id, &batch_id, "");
        let streamed = stream.accepted().await.map(|_| ());
        let message = format!("there is no batch {batch_id}");
        let request = GetBatchRequest {
            customer_id,
            batch_id,
        };
        let got = client.get_batch(request).await.map(|_| ());
        for refused in [got, streamed] {
            let told = refused.as_ref().map_err(|error| error.message.as_str());
            assert_eq!(told, Err(message.as_str()));
            let place = ("resource", "batch");
            bad.refused("no batch", async { refused }, ResourceNotFound, place)
                .await;
        }
    }
}

async fn parameters(bad: &mut BadInput<'_>) {
    let client = bad.customer.client.clone();
    let request = |user: &str| ListAssignmentsRequest {
        customer_id: bad.customer.id.clone(),
        user: user.to_owned(),
        ..Default::default()
    };
    let (malformed, theirs) = (request("ada"), request(&user_id(7)));
    bad.invalid(
        "assignments of nobody",
        client.list_assignments(malformed),
        "user",
    )
    .await;
    let call = client.list_assignments(theirs);
    bad.refused(
        "of another's user",
        call,
        ResourceNotFound,
        ("resource", "user"),
    )
    .await;
    let call = client.list_users(users(UNKNOWN_ID, 0, ""));
    bad.refused(
        "of no customer",
        call,
        ResourceNotFound,
        ("resource", "customer"),
    )
    .await;
    let long = "x".repeat(257);
    for string_id in ["\0", "a\nb", &long] {
        let request = ListProductsRequest {
            string_id: string_id.to_owned(),
            ..Default::default()
        };
        let call = client.list_products(request);
        bad.invalid("a string id that none can have", call, "string_id")
            .await;
    }
    // Too large a message: the transport refuses it before it is read.
    let request = users(&bad.customer.id, 0, &"x".repeat(257 * 1024));
    let error = client.list_users(request).await.expect_err("257 KiB");
    assert_eq!(error.code, Code::OutOfRange, "{error:?}");
    bad.unharmed("257 KiB").await;
}

fn users(customer_id: &str, page_size: i32, page_token: &str) -> ListUsersRequest {
    ListUsersRequest {
        customer_id: customer_id.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
        ..Default::default()
    }
}
