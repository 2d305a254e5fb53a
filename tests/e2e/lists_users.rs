//! Lists of users by filter and order, and what tokens are good for.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::user::State;
use seatwise_client::v1::{
    CreateUserRequest, DeleteUserRequest, ImportedUser, ListProductsRequest, ListUsersRequest,
    UpdateUserRequest, User, UserFilter, UserOrder,
};
use seatwise_client::{Client, Error};

use crate::customer::Customer;
use crate::fixtures::product::{NOTES, SUITE};
use crate::fixtures::{UNKNOWN_ID, plan, user_id};
use crate::harness::{Harness, on_every_engine};
use crate::lists_pages::{Ask, NAMES, Page, assert_moves, list};

/// A filter with these conditions only.
macro_rules! filter {
    ($($field:ident: $value:expr),*) => {
        UserFilter { $($field: $value,)* ..UserFilter::default() }
    };
}

/// Users 0 to 6 by the names, in other countries and states, last active on other days.
async fn people(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer().await;
    let person = |(number, name): (usize, &&str)| ImportedUser {
        user_id: user_id(number),
        principal_name: format!(
            "{}@example.com",
            ["z", "Y", "x", "w", "V", "ada", "u"][number]
        ),
        display_name: Some((*name).to_owned()),
        usage_location: Some(["NL", "BE", ""][number % 3].to_owned()),
        state: [State::Active, State::Inactive][usize::from(number == 4)].into(),
        last_active_time: (number < 5).then(|| day(number as i64)),
    };
    customer
        .import(NAMES.iter().enumerate().map(person).collect())
        .await;
    for (product, seats) in [(SUITE, 2), (NOTES, 7)] {
        customer.set_seats(product, seats).await;
    }
    customer
}

fn day(number: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: 1_750_000_000 + number * 86_400,
        nanos: 0,
    }
}

async fn users_are_listed_by_every_filter_and_order(server: &Harness) {
    let customer = people(server).await;
    // Users 2 and 5 have no location; of 0, 1 and 3 the last finds no seat.
    let results = customer.assign(&[SUITE], &[0, 1, 3].map(user_id)).await;
    let batch_id = customer.batches().await.remove(0).batch_id;
    assert_eq!(results[2].reasons.len(), 1, "{results:?}");
    customer.give(&[NOTES], &[0, 6].map(user_id)).await;

    type Case = (UserFilter, Vec<usize>);
    // In the order of display names. User 5, zoë, is ada@ by its principal name.
    let cases: [Case; 14] = [
        (UserFilter::default(), vec![0, 1, 2, 3, 4, 5, 6]),
        (filter!(search: "aDa".into()), vec![0, 1, 2, 5]),
        (filter!(search: "É".into()), vec![6]),
        (filter!(state: State::Inactive.into()), vec![4]),
        (filter!(usage_location: Some("nl".into())), vec![0, 3, 6]),
        (filter!(usage_location: Some(String::new())), vec![2, 5]),
        (filter!(holds_product_id: SUITE.into()), vec![0, 1]),
        (filter!(holds_product_id: UNKNOWN_ID.into()), vec![]),
        (filter!(lacks_product_id: SUITE.into()), vec![2, 3, 4, 5, 6]),
        (filter!(holds_plan_id: plan::CHAT.into()), vec![0, 1]),
        (filter!(failed_in_batch_id: batch_id.clone()), vec![3]),
        (filter!(not_active_since: Some(day(2))), vec![0, 1, 5, 6]),
        (
            filter!(lacks_product_id: NOTES.into(), holds_plan_id: plan::MAIL.into(), search: "ada".into()),
            vec![1],
        ),
        (
            filter!(failed_in_batch_id: batch_id, state: State::Inactive.into()),
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        for order in [
            UserOrder::Unspecified,
            UserOrder::PrincipalName,
            UserOrder::UserId,
        ] {
            let mut expected = expected.clone();
            match order {
                // Principal names run the other way, but for ada@.
                UserOrder::PrincipalName => expected.sort_by_key(|n| (*n != 5, 9 - n)),
                UserOrder::UserId => expected.sort_unstable(),
                _ => {}
            }
            let what = format!("{filter:?} {order:?}");
            let list = users(&customer, &filter, order);
            let ids: Vec<_> = expected.into_iter().map(user_id).collect();
            assert_moves(&what, list, &ids).await;
        }
    }
}

fn users(
    customer: &Customer,
    filter: &UserFilter,
    order: UserOrder,
) -> impl AsyncFn(Ask) -> Result<Page, Error> + use<> {
    let request = ListUsersRequest {
        customer_id: customer.id.clone(),
        filter: Some(filter.clone()),
        order: order.into(),
        ..Default::default()
    };
    list!(
        customer.client,
        list_users,
        request,
        users,
        |user: &User| user.user_id.clone()
    )
}

async fn a_token_is_good_for_its_own_list_only(server: &Harness) {
    let customer = people(server).await;
    let other = server.customer_with_users(3).await;
    let filter = UserFilter {
        state: State::Active.into(),
        ..Default::default()
    };
    let list = users(&customer, &filter, UserOrder::DisplayName);
    let first = list((2, String::new(), false)).await.expect("a page");
    let second = list((2, first.next.clone(), false)).await.expect("a page");
    let strangers = [
        users(&other, &filter, UserOrder::DisplayName),
        users(&customer, &UserFilter::default(), UserOrder::DisplayName),
        users(&customer, &filter, UserOrder::UserId),
        users(
            &customer,
            &UserFilter {
                search: "a".into(),
                ..filter.clone()
            },
            UserOrder::DisplayName,
        ),
    ];
    for token in [&second.next, &second.previous, &first.last] {
        // The size and the count are no part of the list.
        let page = list((3, token.clone(), true)).await.expect("a page");
        assert_eq!(page.total, Some(6));
        for stranger in &strangers {
            let error = stranger((2, token.clone(), false))
                .await
                .expect_err("not its own");
            assert_eq!(error.reason, ErrorReason::InvalidToken);
            assert_eq!(error.metadata["field"], "page_token");
        }
        for place in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ASCII");
            let error = list((2, forged, false)).await.expect_err("nobody made it");
            assert_eq!(error.reason, ErrorReason::InvalidToken);
        }
    }
    // Nor is a token of one filter of another list good for another.
    let client = server.client();
    let some = |retired| ListProductsRequest {
        retired,
        page_size: 2,
        ..Default::default()
    };
    let token = client
        .list_products(some(None))
        .await
        .expect("a page")
        .last_page_token;
    let request = ListProductsRequest {
        page_token: token,
        ..some(Some(false))
    };
    let error = client
        .list_products(request)
        .await
        .expect_err("another filter");
    assert_eq!(error.reason, ErrorReason::InvalidToken);
}

async fn pages_whose_neighbours_are_gone_still_lead_somewhere(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(9).await;
    let list = users(&customer, &UserFilter::default(), UserOrder::UserId);
    let get = async |token: &str| list((3, token.to_owned(), false)).await.expect("a page");
    let first = get("").await;
    let second = get(&first.next).await;
    let third = get(&second.next).await;
    for number in [0, 1, 2, 3] {
        delete(&customer, &user_id(number)).await;
    }
    // Nothing is left before the second page; from there the way leads to what is first now.
    let before = get(&second.previous).await;
    assert_eq!((before.keys.len(), &*before.previous), (0, ""));
    assert_eq!(get(&before.next).await.keys, [4, 5, 6].map(user_id));
    assert_eq!(get(&before.last).await.keys, [6, 7, 8].map(user_id));
    assert_eq!(get(&third.previous).await.keys, [4, 5].map(user_id));
    for number in [6, 7, 8] {
        delete(&customer, &user_id(number)).await;
    }
    let after = get(&second.next).await;
    assert_eq!((after.keys.len(), &*after.next, &*after.last), (0, "", ""));
    assert_eq!(get(&after.previous).await.keys, [4, 5].map(user_id));
    // Who comes meanwhile is listed where it belongs.
    customer.add_users([20]).await;
    assert_eq!(get(&second.next).await.keys, [user_id(20)]);
}

async fn delete(customer: &Customer, user: &str) {
    let request = DeleteUserRequest {
        customer_id: customer.id.clone(),
        user: user.to_owned(),
        etag: String::new(),
        comment: String::new(),
    };
    customer
        .client
        .delete_user(request)
        .await
        .expect("the user is deleted");
}

async fn when_a_user_was_last_active_is_kept_and_shown(server: &Harness) {
    server.start().await;
    let customer = server.customer().await;
    let (client, customer_id): (&Client, _) = (&customer.client, customer.id.clone());
    let create = CreateUserRequest {
        customer_id: customer_id.clone(),
        user_id: user_id(0),
        principal_name: "ada@example.com".to_owned(),
        display_name: "Ada".to_owned(),
        last_active_time: Some(day(1)),
        ..Default::default()
    };
    let user = client.create_user(create).await.expect("it is new");
    assert_eq!(user.last_active_time, Some(day(1)));
    let update = |last_active_time| UpdateUserRequest {
        customer_id: customer_id.clone(),
        user: user_id(0),
        last_active_time,
        ..Default::default()
    };
    let same = client.update_user(update(None)).await.expect("unchanged");
    assert_eq!(same, user);
    let changed = client
        .update_user(update(Some(day(2))))
        .await
        .expect("changed");
    assert_eq!(changed.last_active_time, Some(day(2)));
    let import = |last_active_time| ImportedUser {
        user_id: user_id(0),
        last_active_time,
        ..Default::default()
    };
    customer.import(vec![import(Some(day(3)))]).await;
    assert_eq!(customer.users().await[0].last_active_time, Some(day(3)));
}

async fn filters_and_orders_that_cannot_be_are_refused(server: &Harness) {
    server.start().await;
    let customer = server.customer().await;
    let time = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    for (wrong, field) in [
        (filter!(search: "x".repeat(257)), "search"),
        (filter!(state: 9), "state"),
        (
            filter!(usage_location: Some("Mars".into())),
            "usage_location",
        ),
        (filter!(holds_product_id: "x".into()), "holds_product_id"),
        (filter!(lacks_product_id: "x".into()), "lacks_product_id"),
        (filter!(holds_plan_id: "x".into()), "holds_plan_id"),
        (
            filter!(failed_in_batch_id: "x".into()),
            "failed_in_batch_id",
        ),
        (filter!(not_active_since: time(0, -1)), "not_active_since"),
        (
            filter!(not_active_since: time(i64::MAX, 0)),
            "not_active_since",
        ),
    ] {
        let list = users(&customer, &wrong, UserOrder::Unspecified);
        let error = list((1, String::new(), false)).await.expect_err(field);
        assert_eq!(error.reason, ErrorReason::InvalidField, "{error:?}");
        assert_eq!(error.violations[0].field, format!("filter.{field}"));
    }
    unknown_things_are_refused(&customer).await;
}

async fn unknown_things_are_refused(customer: &Customer) {
    let unknown = filter!(failed_in_batch_id: UNKNOWN_ID.to_owned());
    let list = users(customer, &unknown, UserOrder::Unspecified);
    let error = list((1, String::new(), true)).await.expect_err("no batch");
    assert_eq!(error.reason, ErrorReason::ResourceNotFound);
    assert_eq!(error.metadata["resource"], "batch");
    let request = ListUsersRequest {
        customer_id: customer.id.clone(),
        order: 9,
        ..Default::default()
    };
    let error = customer
        .client
        .list_users(request)
        .await
        .expect_err("no order");
    assert_eq!(error.violations[0].field, "order");
}

on_every_engine![
    users_are_listed_by_every_filter_and_order,
    a_token_is_good_for_its_own_list_only,
    pages_whose_neighbours_are_gone_still_lead_somewhere,
    when_a_user_was_last_active_is_kept_and_shown,
    filters_and_orders_that_cannot_be_are_refused,
];
