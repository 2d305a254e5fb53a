//! Questions about violations that are wrong in themselves.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::{
    ListViolationsRequest, ReasonCode, SummarizeViolationsRequest, ViolationFilter,
};
use seatwise_client::{Code, Error};

use super::{of_code, violating};
use crate::fixtures::product::{BACKUP, NOTES};
use crate::fixtures::{CATALOGUE, RULES, UNKNOWN_ID, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::selections::select;

async fn bad_filters_are_refused(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    let client = &customer.client;
    let bad_filter = ViolationFilter {
        code: ReasonCode::SeatsExhausted.into(),
        product_id: "suite".to_owned(),
        plan_id: "mail".to_owned(),
    };
    let fields = |error: Error| -> Vec<String> {
        let fields = error
            .violations
            .into_iter()
            .map(|violation| violation.field);
        fields.collect()
    };
    let list = ListViolationsRequest {
        customer_id: "x".to_owned(),
        filter: Some(bad_filter.clone()),
        ..Default::default()
    };
    let all = [
        "customer_id",
        "filter.code",
        "filter.product_id",
        "filter.plan_id",
    ];
    let refused = client.list_violations(list).await;
    assert_eq!(fields(refused.expect_err("four bad fields")), all);
    let summarize = SummarizeViolationsRequest {
        customer_id: "x".to_owned(),
        filter: Some(bad_filter.clone()),
    };
    let refused = client.summarize_violations(summarize).await;
    assert_eq!(fields(refused.expect_err("four bad fields")), all);
    let selection = select(vec![violating(bad_filter)], vec![]);
    let refused = customer
        .freeze(selection)
        .await
        .expect_err("three bad fields");
    let place = "selection.parts[0].violating";
    let expected = ["code", "product_id", "plan_id"].map(|field| format!("{place}.{field}"));
    assert_eq!(fields(refused), expected);
}

async fn strangers_and_bad_pages_are_refused(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    let client = &customer.client;
    let unknown = ListViolationsRequest {
        customer_id: UNKNOWN_ID.to_owned(),
        ..Default::default()
    };
    let refused = client.list_violations(unknown).await;
    assert_eq!(refused.expect_err("nobody").code, Code::NotFound);
    let unknown = SummarizeViolationsRequest {
        customer_id: UNKNOWN_ID.to_owned(),
        filter: None,
    };
    let refused = client.summarize_violations(unknown).await;
    assert_eq!(refused.expect_err("nobody").code, Code::NotFound);

    for (page_size, page_token, reason) in [
        (-1, "", ErrorReason::InvalidField),
        (0, "x", ErrorReason::InvalidToken),
    ] {
        let list = ListViolationsRequest {
            customer_id: customer.id.clone(),
            page_size,
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        let refused = client.list_violations(list).await.expect_err("a bad page");
        assert_eq!(refused.reason, reason);
    }
    // A token is good for the filter that it was made with.
    customer.set_seats(NOTES, 9).await;
    customer.give(&[NOTES], &user_ids(3)).await;
    customer.move_to(&[0, 1, 2], "").await;
    let list = |filter, page_token| ListViolationsRequest {
        customer_id: customer.id.clone(),
        filter,
        page_size: 1,
        page_token,
    };
    let token = client.list_violations(list(None, String::new())).await;
    let token = token.expect("a page").next_page_token;
    let other = list(
        Some(of_code(ReasonCode::UsageLocationMissing)),
        token.clone(),
    );
    let refused = client
        .list_violations(other)
        .await
        .expect_err("another list");
    assert_eq!(refused.reason, ErrorReason::InvalidToken);
    let second = client.list_violations(list(None, token)).await;
    assert_eq!(second.expect("a page").users[0].user_id, user_id(1));
}

async fn a_wrong_file_has_no_preview(server: &Harness) {
    server.start_with_catalogue().await;
    let client = server.client();
    let refused = client.preview_rules(b"kind\nx\n").await;
    let refused = refused.expect_err("a wrong file");
    assert_eq!(refused.reason, ErrorReason::InvalidFile);
    let (header_and_first, _) = RULES.split_once("requires").expect("the second");
    let one = client.preview_rules(header_and_first.as_bytes()).await;
    assert_eq!(one.expect("shown").summary.removed_count(), 2);
    let edition = CATALOGUE.replace(BACKUP, UNKNOWN_ID);
    let backup = client.preview_catalogue(edition.as_bytes()).await;
    let backup = backup.expect("shown").summary;
    assert_eq!((backup.added_count(), backup.removed_count()), (1, 1));
}

on_every_engine![
    bad_filters_are_refused,
    strangers_and_bad_pages_are_refused,
    a_wrong_file_has_no_preview,
];
