//! Lists, page by page, and the life of customers, users and licenses: created, changed, imported.

use std::time::Duration;

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::import_outcome::Kind;
use seatwise_client::v1::user::State;
use seatwise_client::v1::{
    CreateCustomerRequest, CreateUserRequest, DeleteUserRequest, GetUserRequest, ImportedUser,
    ListAssignmentsRequest, ListBatchesRequest, ListCustomersRequest, ListLicensesRequest,
    ListProductsRequest, ListRulesRequest, ListUsersRequest, SetSeatsRequest,
    UpdateCustomerRequest, UpdateUserRequest, User, UserOrder,
};
use seatwise_client::{Client, Code, Error};

use crate::customer::{Customer, imported_user, pages};
use crate::fixtures::product::{NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{UNKNOWN_ID, assign, revoke, user_id, user_ids};
use crate::harness::{Harness, free_address, on_every_engine};

/// Pages of this size, all of them, hold every item once and in order of its key.
macro_rules! assert_pages {
    ($call:expr, $field:ident, $key:expr, $count:expr) => {
        for page_size in [1, 2, 3, 1_000] {
            let all = pages(|page_token| async move {
                let page = $call(page_size, page_token).await?;
                assert!(page.$field.len() <= page_size as usize);
                Ok((page.$field, page.next_page_token))
            });
            let keys: Vec<_> = all.await.unwrap().iter().map($key).collect();
            assert_eq!(keys.len(), $count, "pages of {page_size}");
            assert!(keys.is_sorted(), "{keys:?}");
            let is_unique = keys.windows(2).all(|pair| pair[0] != pair[1]);
            assert!(is_unique, "{keys:?}");
        }
    };
}

async fn every_list_tells_everything_once_in_pages_of_any_size(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(7).await;
    server.customer().await;
    for product in [SUITE, NOTES, VIDEO, VOICE] {
        customer.set_seats(product, 7).await;
    }
    customer.give(&[SUITE, NOTES], &user_ids(7)).await;
    customer.give(&[VIDEO], &user_ids(3)).await;
    customer.revoke(&[VIDEO], &user_ids(1)).await;
    lists_of_a_customer(&customer).await;
    lists_of_all(&customer.client).await;
}

async fn lists_of_a_customer(customer: &Customer) {
    let (client, id) = (&customer.client, &customer.id);
    let customer_id = || id.clone();
    let users = |page_size, page_token| {
        client.list_users(ListUsersRequest {
            customer_id: customer_id(),
            page_size,
            page_token,
            ..Default::default()
        })
    };
    assert_pages!(users, users, |user| user.user_id.clone(), 7);
    let licenses = |page_size, page_token| {
        client.list_licenses(ListLicensesRequest {
            customer_id: customer_id(),
            page_size,
            page_token,
            ..Default::default()
        })
    };
    assert_pages!(
        licenses,
        licenses,
        |license| license.display_name.clone(),
        4
    );
    let assignments = |user: &'static str| {
        move |page_size, page_token| {
            client.list_assignments(ListAssignmentsRequest {
                customer_id: id.clone(),
                user: user.to_owned(),
                page_size,
                page_token,
                ..Default::default()
            })
        }
    };
    let key = |a: &seatwise_client::v1::Assignment| (a.user_id.clone(), a.product_id.clone());
    let of_all = assignments("");
    assert_pages!(of_all, assignments, key, 7 * 2 + 2);
    let of_one = assignments("User1@example.com");
    assert_pages!(of_one, assignments, key, 3);
    let batches = |page_size, page_token| {
        client.list_batches(ListBatchesRequest {
            customer_id: customer_id(),
            page_size,
            page_token,
            ..Default::default()
        })
    };
    // The newest first.
    let key = |batch: &seatwise_client::v1::Batch| std::cmp::Reverse(batch.batch_id.clone());
    assert_pages!(batches, batches, key, 3);
}

async fn lists_of_all(client: &Client) {
    let customers = |page_size, page_token| {
        client.list_customers(ListCustomersRequest {
            page_size,
            page_token,
            ..Default::default()
        })
    };
    assert_pages!(
        customers,
        customers,
        |customer| customer.customer_id.clone(),
        2
    );
    let products = |string_id: &'static str| {
        move |page_size, page_token| {
            client.list_products(ListProductsRequest {
                page_size,
                page_token,
                string_id: string_id.to_owned(),
                ..Default::default()
            })
        }
    };
    let key = |product: &seatwise_client::v1::Product| product.display_name.clone();
    let all = products("");
    assert_pages!(all, products, key, 8);
    let suite = products("sUiTe");
    assert_pages!(suite, products, key, 1);
    let rules = |page_size, page_token| {
        client.list_rules(ListRulesRequest {
            page_size,
            page_token,
        })
    };
    assert_pages!(rules, rules, |rule| rule.kind, 3);
}

async fn a_page_has_fifty_items_if_no_size_is_given_and_a_thousand_at_most(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(1_100).await;
    for (page_size, count) in [(0, 50), (1_000, 1_000), (1_001, 1_000), (i32::MAX, 1_000)] {
        let request = ListUsersRequest {
            customer_id: customer.id.clone(),
            page_size,
            page_token: String::new(),
            ..Default::default()
        };
        let page = customer.client.list_users(request).await;
        let page = page.expect("users are listed");
        assert_eq!(page.users.len(), count);
        assert!((1..=2_200).contains(&page.next_page_token.len()));
    }
}

async fn a_list_goes_on_where_it_was_although_items_come_and_go(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(10).await;
    let list = async |page_token: String| {
        let request = ListUsersRequest {
            customer_id: customer.id.clone(),
            page_size: 5,
            page_token,
            order: UserOrder::UserId.into(),
            ..Default::default()
        };
        let page = customer.client.list_users(request).await;
        let page = page.expect("users are listed");
        let ids: Vec<_> = page.users.into_iter().map(|user| user.user_id).collect();
        (ids, page.next_page_token)
    };
    let (first, token) = list(String::new()).await;
    assert_eq!(first, user_ids(5));
    // The last one of the page and one to come go, one comes; the server is another one.
    delete(&customer, &user_id(4)).await;
    delete(&customer, &user_id(7)).await;
    customer.add_users([100]).await;
    server.restart().await;
    let (second, token) = list(token).await;
    assert_eq!(second, [5, 6, 8, 9, 100].map(user_id));
    assert_eq!(token, "");
}

async fn a_customer_is_created_changed_and_guarded_by_its_etag(server: &Harness) {
    server.start().await;
    let client = server.client();
    let request = CreateCustomerRequest {
        customer_id: UNKNOWN_ID.to_uppercase(),
        display_name: "Ada & Söhne".to_owned(),
        comment: String::new(),
    };
    let customer = client.create_customer(request).await.expect("it is new");
    assert_eq!(customer.customer_id, UNKNOWN_ID);
    assert_eq!(customer.create_time, customer.update_time);
    let update = |name: &str, etag: &str| {
        client.update_customer(UpdateCustomerRequest {
            customer_id: UNKNOWN_ID.to_owned(),
            display_name: Some(name.to_owned()),
            etag: etag.to_owned(),
            ..UpdateCustomerRequest::default()
        })
    };
    let changed = update("Ada", &customer.etag).await.expect("it is current");
    assert_eq!(changed.display_name, "Ada");
    assert_ne!(changed.etag, customer.etag);
    let error = update("Bob", &customer.etag).await.expect_err("it is old");
    assert_eq!(error.reason, ErrorReason::EtagMismatch);
    assert_eq!(error.metadata["etag"], changed.etag);
    let same = update("Ada", "").await.expect("no etag is none to check");
    assert_eq!(same, changed, "nothing was to be changed");
}

async fn a_user_is_created_changed_deleted_and_guarded_by_its_etag(server: &Harness) {
    server.start().await;
    let customer = server.customer().await;
    let create = |principal_name: &str, user_id: &str| {
        customer.client.create_user(CreateUserRequest {
            customer_id: customer.id.clone(),
            user_id: user_id.to_owned(),
            principal_name: principal_name.to_owned(),
            display_name: "Ada".to_owned(),
            usage_location: "nl".to_owned(),
            state: 0,
            last_active_time: None,
            comment: String::new(),
        })
    };
    let user = create("Ada@example.com", &user_id(1))
        .await
        .expect("it is new");
    assert_eq!(user.usage_location, "NL");
    assert_eq!(user.state(), State::Active);
    let update = UpdateUserRequest {
        customer_id: customer.id.clone(),
        user: "ADA@example.com".to_owned(),
        usage_location: Some(String::new()),
        state: State::Inactive.into(),
        etag: user.etag.clone(),
        ..UpdateUserRequest::default()
    };
    let changed = customer.client.update_user(update.clone()).await;
    let changed = changed.expect("it is current");
    let expected = User {
        usage_location: String::new(),
        state: State::Inactive.into(),
        update_time: changed.update_time,
        etag: changed.etag.clone(),
        ..user.clone()
    };
    assert_eq!(changed, expected);
    let error = customer.client.update_user(update).await;
    assert_eq!(
        error.expect_err("it is old").reason,
        ErrorReason::EtagMismatch
    );

    // The name can be used again, the id cannot.
    delete(&customer, "ada@EXAMPLE.com").await;
    let get = GetUserRequest {
        customer_id: customer.id.clone(),
        user: user_id(1),
    };
    let gone = customer.client.get_user(get).await.expect_err("it is gone");
    assert_eq!(gone.reason, ErrorReason::ResourceNotFound);
    let error = create("new@example.com", &user_id(1)).await;
    assert_eq!(
        error.expect_err("the id is used up").metadata["field"],
        "user_id"
    );
    create("ada@example.com", "")
        .await
        .expect("the name is free");
    assert_eq!(customer.users().await.len(), 1);
}

async fn users_are_imported_and_each_is_told(server: &Harness) {
    server.start().await;
    let customer = server.customer().await;
    let kinds = async |users: Vec<ImportedUser>| {
        let outcomes = customer.client.import_users(&customer.id, users).await;
        let outcomes = outcomes.expect("users are imported");
        outcomes
            .iter()
            .map(|outcome| outcome.kind())
            .collect::<Vec<_>>()
    };
    let many: Vec<_> = (0..1_200).map(imported_user).collect();
    assert_eq!(kinds(many.clone()).await, vec![Kind::Created; 1_200]);
    assert_eq!(kinds(many).await, vec![Kind::Unchanged; 1_200]);
    assert_eq!(customer.users().await.len(), 1_200);

    // Found by name in any case; what is not set stays; a bad one does not keep the others out.
    let by_name = ImportedUser {
        principal_name: "USER5@Example.com".to_owned(),
        display_name: Some("Five".to_owned()),
        ..ImportedUser::default()
    };
    let bad = ImportedUser {
        principal_name: "nobody".to_owned(),
        ..by_name.clone()
    };
    let new = ImportedUser {
        principal_name: "new@example.com".to_owned(),
        ..by_name.clone()
    };
    let twice = vec![by_name, bad, new.clone(), new];
    let expected = [Kind::Updated, Kind::Failed, Kind::Created, Kind::Unchanged];
    assert_eq!(kinds(twice).await, expected);
    let users = customer.users().await;
    assert_eq!(users.len(), 1_201);
    let five = users.iter().find(|user| user.user_id == user_id(5));
    let five = five.expect("it was found by its name");
    assert_eq!(five.display_name, "Five");
    assert_eq!(five.usage_location, "NL");
}

async fn seats_are_set_guarded_by_their_etag_and_not_cut_below_what_is_assigned(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    let set = |enabled, etag: &str, confirmation: &str| {
        customer.client.set_seats(SetSeatsRequest {
            customer_id: customer.id.clone(),
            product_id: NOTES.to_owned(),
            enabled: Some(enabled),
            etag: etag.to_owned(),
            confirmation: confirmation.to_owned(),
            ..SetSeatsRequest::default()
        })
    };
    let license = set(3, "", "").await.expect("it is new");
    assert_eq!((license.warning(), license.suspended()), (0, 0));
    assert_eq!(
        (license.display_name.as_str(), license.string_id.as_str()),
        ("Notes", "NOTES")
    );
    customer.give(&[NOTES], &user_ids(3)).await;
    let error = set(2, "", "").await.expect_err("three are assigned");
    assert_eq!(error.code, Code::FailedPrecondition);
    assert_eq!(error.reason, ErrorReason::SeatsBelowAssigned);
    assert_eq!(error.metadata["assignable"], "2");
    assert_eq!(error.metadata["assigned"], "3");
    let two = error.metadata["confirmation"].clone();
    // What was confirmed is two seats for these three users.
    let error = set(1, "", &two).await.expect_err("one is fewer than two");
    assert_eq!(error.reason, ErrorReason::SeatsBelowAssigned);
    assert_ne!(error.metadata["confirmation"], two);
    let cut = set(2, &license.etag, &two).await.expect("it is confirmed");
    assert_eq!((cut.assigned(), cut.available()), (3, -1));
    let again = set(2, "", &two).await.expect("it is so already");
    assert_eq!(again, cut);
    let error = set(5, &license.etag, "").await.expect_err("it is old");
    assert_eq!(error.reason, ErrorReason::EtagMismatch);
    let more = set(100_000_000, &cut.etag, "")
        .await
        .expect("it is current");
    assert_eq!(more.available(), 99_999_997);
}

async fn a_customer_sees_only_its_own(server: &Harness) {
    server.start_with_catalogue().await;
    let one = server.customer_with_users(2).await;
    let other = server.customer_with_users(2).await;
    one.set_seats(NOTES, 2).await;
    one.give(&[NOTES], &user_ids(2)).await;
    assert_eq!(other.licenses().await, []);
    assert_eq!(other.assignments().await, []);
    assert_eq!(other.batches().await, []);
    assert_eq!(other.users().await.len(), 2);
    // The same user ids, and yet others.
    other.set_seats(NOTES, 2).await;
    other.run(revoke(&[NOTES]), &user_ids(2)).await;
    one.assert_seats(NOTES, 2, 0).await;
}

async fn a_server_that_is_not_there_is_told_so(server: &Harness) {
    server.start_with_catalogue().await;
    let address = free_address();
    let nowhere = Client::builder(format!("http://{address}"))
        .resume_for(Duration::from_millis(300))
        .build()
        .expect("an endpoint");
    let request = ListCustomersRequest::default();
    let error = nowhere.list_customers(request.clone()).await;
    let error: Error = error.expect_err("nobody answers");
    assert_eq!(error.code, Code::Unavailable);
    assert_eq!(error.reason, ErrorReason::Unspecified);
    assert!(error.is_retryable());
    assert!(!error.message.is_empty());
    let customer = Customer {
        client: nowhere,
        ..server.customer().await
    };
    let batch = customer.request(assign(&[NOTES]), user_ids(1));
    let error = customer.client.batch(batch).accepted().await.map(|_| ());
    assert_eq!(error.expect_err("nobody answers").code, Code::Unavailable);

    // A client waits for a server that is about to come back.
    let patient = server.another_client();
    server.stop().await;
    let (listed, ()) = tokio::join!(patient.list_customers(request), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.start().await;
    });
    listed.expect("it was tried again");
}

async fn delete(customer: &Customer, user: &str) {
    let request = DeleteUserRequest {
        customer_id: customer.id.clone(),
        user: user.to_owned(),
        etag: String::new(),
        comment: String::new(),
    };
    let deleted = customer.client.delete_user(request).await;
    deleted.expect("the user is deleted");
}

on_every_engine![
    every_list_tells_everything_once_in_pages_of_any_size,
    a_page_has_fifty_items_if_no_size_is_given_and_a_thousand_at_most,
    a_list_goes_on_where_it_was_although_items_come_and_go,
    a_customer_is_created_changed_and_guarded_by_its_etag,
    a_user_is_created_changed_deleted_and_guarded_by_its_etag,
    users_are_imported_and_each_is_told,
    seats_are_set_guarded_by_their_etag_and_not_cut_below_what_is_assigned,
    a_customer_sees_only_its_own,
    a_server_that_is_not_there_is_told_so,
];
