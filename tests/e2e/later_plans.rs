//! Plans that a newer catalogue adds: the policy of product and license, and whom an import reached.

use seatwise_client::v1::{
    GainedPlans, LaterPlans, License, ListGainedPlansRequest, SetLaterPlansRequest,
    UpdateProductRequest,
};
use seatwise_client::{Client, Code, Error};

use crate::customer::{Customer, assert_applied, pages};
use crate::fixtures::plan::{CHAT, DRIVE, MAIL};
use crate::fixtures::product::{NOTES, SUITE};
use crate::fixtures::{
    CATALOGUE, UNKNOWN_ID, all_except, assign, assign_plans, only, user_id, user_ids,
};
use crate::harness::{Harness, on_every_engine};

/// A plan that newer editions have in the suite.
const BOARD: &str = "b0000000-0000-4000-8000-0000000000f1";

/// Imports an edition in which the suite has one more plan; gives the version before and after.
async fn import_newer(client: &Client) -> (i64, i64) {
    let before = client.import_catalogue(CATALOGUE.as_bytes()).await;
    let newer = format!("{CATALOGUE}Suite,SUITE,{SUITE},BOARD,{BOARD},Board,User\n");
    let after = client.import_catalogue(newer.as_bytes()).await;
    let version =
        |report: seatwise_client::ImportReport| i64::from(report.summary.catalogue_version());
    (
        version(before.expect("imported")),
        version(after.expect("imported")),
    )
}

async fn gained(customer: &Customer, since_version: i64, page_size: i32) -> Vec<GainedPlans> {
    let page = async |page_token: String| {
        let request = ListGainedPlansRequest {
            customer_id: customer.id.clone(),
            since_version,
            page_size,
            page_token,
        };
        let page = customer.client.list_gained_plans(request).await?;
        Ok((page.assignments, page.next_page_token))
    };
    pages(page).await.expect("pages")
}

async fn set_later_plans(
    customer: &Customer,
    product: &str,
    later: LaterPlans,
    etag: &str,
) -> Result<License, Error> {
    let request = SetLaterPlansRequest {
        customer_id: customer.id.clone(),
        product_id: product.to_owned(),
        later_plans: later.into(),
        etag: etag.to_owned(),
        comment: String::new(),
    };
    customer.client.set_later_plans(request).await
}

async fn an_import_tells_whose_plans_it_has_changed(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(5).await;
    for product in [SUITE, NOTES] {
        customer.set_seats(product, 9).await;
    }
    customer.give(&[SUITE, NOTES], &user_ids(2)).await;
    let without_chat = assign_plans(SUITE, all_except(&[CHAT]));
    customer.run(without_chat, &[user_id(2)]).await;
    customer
        .run(assign_plans(SUITE, only(&[MAIL])), &[user_id(3)])
        .await;

    let (before, after) = import_newer(&customer.client).await;
    customer.give(&[SUITE], &[user_id(4)]).await;
    for page_size in [1, 2, 50] {
        let gained = gained(&customer, before, page_size).await;
        let users: Vec<_> = gained.iter().map(|gained| gained.user_id.clone()).collect();
        assert_eq!(users, user_ids(3));
        for gained in &gained {
            assert_eq!(
                gained.product.as_ref().expect("a product").display_name,
                "Suite"
            );
            assert_eq!(gained.plans.len(), 1);
            assert_eq!(gained.plans[0].plan_id, BOARD);
            assert_eq!(gained.plans[0].name, "BOARD");
            assert!(gained.principal_name.contains('@') && !gained.display_name.is_empty());
        }
    }
    assert_eq!(gained(&customer, after, 50).await, []);
    let held = customer.assignments_of(&user_id(2)).await;
    assert_eq!(held[0].enabled_plan_ids, [MAIL, DRIVE, BOARD]);
}

async fn a_customer_decides_what_becomes_of_plans_added_later(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(4).await;
    let license = customer.set_seats(SUITE, 9).await;
    assert_eq!(license.later_plans(), LaterPlans::Unspecified);

    let off = set_later_plans(&customer, SUITE, LaterPlans::Off, &license.etag).await;
    let off = off.expect("set");
    assert_eq!(off.later_plans(), LaterPlans::Off);
    assert_eq!(customer.license(SUITE).await, off);
    let results = customer.assign(&[SUITE], &[user_id(0)]).await;
    assert_applied(&results[0]);
    assert_eq!(results[0].held[0].plans, Some(only(&[MAIL, CHAT, DRIVE])));

    // As the product says: on, and then off.
    let unset = set_later_plans(&customer, SUITE, LaterPlans::Unspecified, "").await;
    assert_eq!(unset.expect("set").later_plans(), LaterPlans::Unspecified);
    customer.give(&[SUITE], &[user_id(1)]).await;
    let request = UpdateProductRequest {
        product_id: SUITE.to_owned(),
        later_plans: LaterPlans::Off.into(),
        ..Default::default()
    };
    let product = customer
        .client
        .update_product(request)
        .await
        .expect("updated");
    assert_eq!(product.later_plans(), LaterPlans::Off);
    customer.give(&[SUITE], &[user_id(2)]).await;
    let on = set_later_plans(&customer, SUITE, LaterPlans::On, "").await;
    assert_eq!(on.expect("set").later_plans(), LaterPlans::On);
    customer.give(&[SUITE], &[user_id(3)]).await;

    import_newer(&customer.client).await;
    let has_board = async |number| {
        let held = customer.assignments_of(&user_id(number)).await;
        held[0].enabled_plan_ids.contains(&BOARD.to_owned())
    };
    for (number, expected) in [false, true, false, true].into_iter().enumerate() {
        assert_eq!(has_board(number).await, expected, "user {number}");
    }
    // To ask for all plans again means those there are now; to assign again means nothing.
    let unset = set_later_plans(&customer, SUITE, LaterPlans::Off, "").await;
    unset.expect("set");
    customer.run(assign(&[SUITE]), &[user_id(0)]).await;
    assert!(!has_board(0).await);
    customer
        .run(assign_plans(SUITE, all_except(&[])), &[user_id(0)])
        .await;
    assert!(has_board(0).await);
}

async fn a_bad_policy_is_refused_and_changes_nothing(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    let before = customer.set_seats(SUITE, 9).await;
    let unlicensed = set_later_plans(&customer, NOTES, LaterPlans::Off, "").await;
    assert_eq!(unlicensed.expect_err("no license").code, Code::NotFound);
    let stale = set_later_plans(&customer, SUITE, LaterPlans::Off, "99").await;
    assert_eq!(stale.expect_err("another etag").code, Code::Aborted);
    let request = SetLaterPlansRequest {
        customer_id: UNKNOWN_ID.to_owned(),
        product_id: "suite".to_owned(),
        later_plans: 9,
        etag: "x".to_owned(),
        comment: String::new(),
    };
    let bad = customer.client.set_later_plans(request).await;
    let bad = bad.expect_err("three bad fields");
    let fields: Vec<_> = bad.violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["product_id", "later_plans", "etag"]);
    assert_eq!(customer.license(SUITE).await, before);

    let request = ListGainedPlansRequest {
        customer_id: customer.id.clone(),
        since_version: -1,
        ..Default::default()
    };
    let bad = customer.client.list_gained_plans(request).await;
    let bad = bad.expect_err("a negative version");
    assert_eq!(bad.violations[0].field, "since_version");
}

on_every_engine![
    an_import_tells_whose_plans_it_has_changed,
    a_customer_decides_what_becomes_of_plans_added_later,
    a_bad_policy_is_refused_and_changes_nothing,
];
