//! Picking a customer and selecting its users.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use seatwise_client::v1::{
    CreateCustomerRequest, GetCustomerRequest, ImportedUser, ListCustomersRequest,
    ListUsersResponse, SetSeatsRequest, User,
};

use super::{all_on, these};
use crate::customer::{Customer, imported_user};
use crate::fixtures::product::{BACKUP, DIAL, MAILBOX, NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{assign, strings, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::process;
use crate::selections::{everybody, frozen, numbers, select, users};

async fn s01_nobody_is_served_from_elsewhere_by_accident(server: &Harness) {
    let elsewhere: [SocketAddr; 2] = [
        (Ipv4Addr::UNSPECIFIED, 0).into(),
        (Ipv6Addr::UNSPECIFIED, 0).into(),
    ];
    for address in elsewhere {
        let complaint = process::refused(server, address).await;
        let expected = format!("plaintext: calls to {address} would come unencrypted");
        assert!(complaint.contains(&expected), "{complaint}");
    }
    // On the machine itself nobody is asked who it is.
    server.start().await;
    assert_eq!(server.customer_with_users(1).await.users().await.len(), 1);
}

async fn s04_every_license_of_the_customer_is_shown(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    let seats = |product: &str, numbers: [i32; 3]| SetSeatsRequest {
        customer_id: customer.id.clone(),
        product_id: product.to_owned(),
        enabled: Some(numbers[0]),
        warning: Some(numbers[1]),
        suspended: Some(numbers[2]),
        ..SetSeatsRequest::default()
    };
    let all = [
        (BACKUP, [1, 0, 0]),
        (DIAL, [2, 0, 0]),
        (NOTES, [0, 0, 0]),
        (SUITE, [2, 0, 0]),
        (VIDEO, [1, 3, 0]),
        (VOICE, [0, 0, 4]),
    ];
    for (product, numbers) in all {
        let set = customer.client.set_seats(seats(product, numbers)).await;
        set.expect("seats are set");
    }
    customer.give(&[SUITE, DIAL], &user_ids(2)).await;
    customer.set_seats(DIAL, 1).await;
    // What another customer owns is not shown.
    server.customer().await.set_seats(MAILBOX, 9).await;

    let licenses = customer.licenses().await;
    let shown: Vec<_> = licenses
        .iter()
        .map(|l| (&*l.display_name, l.total(), l.assigned(), l.available()))
        .collect();
    let expected = [
        ("Backup", 1, 0, 1),
        ("Dial", 1, 2, -1),
        ("Notes", 0, 0, 0),
        ("Suite", 2, 2, 0),
        ("Video", 4, 0, 4),
        ("Voice", 0, 0, 0),
    ];
    assert_eq!(shown, expected);
    assert_eq!(licenses[5].suspended(), 4);
}

async fn s05_a_customer_is_picked_from_a_list(server: &Harness) {
    server.start().await;
    let client = server.client();
    for name in ["Fabrikam", "contoso North", "Contoso"] {
        let request = CreateCustomerRequest {
            customer_id: String::new(),
            display_name: name.to_owned(),
            comment: String::new(),
        };
        client.create_customer(request).await.expect("made");
    }
    let list = async |search: &str| {
        let request = ListCustomersRequest {
            search: search.to_owned(),
            ..ListCustomersRequest::default()
        };
        let page = client.list_customers(request).await;
        page.expect("a page").customers
    };
    let names = |customers: &[_]| -> Vec<String> {
        let name = |customer: &seatwise_client::v1::Customer| customer.display_name.clone();
        customers.iter().map(name).collect()
    };
    let all = list("").await;
    assert_eq!(names(&all), ["Contoso", "contoso North", "Fabrikam"]);
    assert_eq!(names(&list("CONTOSO").await), ["Contoso", "contoso North"]);
    assert_eq!(names(&list("abrikam").await), [""; 0]);
    for picked in all {
        let request = GetCustomerRequest {
            customer_id: picked.customer_id.clone(),
        };
        assert_eq!(client.get_customer(request).await.expect("there"), picked);
    }
}

async fn s06_only_the_users_of_the_customer_are_listed(server: &Harness) {
    server.start().await;
    let ours = server.customer_with_users(3).await;
    let theirs = server.customer().await;
    // One of the same id, and one of its own.
    let namesake = ImportedUser {
        display_name: Some("Namesake".to_owned()),
        ..imported_user(1)
    };
    theirs.import(vec![namesake, imported_user(7)]).await;
    let names = |page: ListUsersResponse| -> Vec<String> {
        assert_eq!(page.next_page_token, "");
        page.users.into_iter().map(|u| u.display_name).collect()
    };
    assert_eq!(
        names(ours.users_page("").await),
        ["User 0", "User 1", "User 2"]
    );
    assert_eq!(names(theirs.users_page("").await), ["Namesake", "User 7"]);
}

async fn s07_two_or_more_users_are_selected(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(5).await;
    assert_eq!(customer.selected(&these([3, 1])).await, numbers([1, 3]));
    let named = strings(&["USER4@example.com", &user_id(0), "user2@example.com"]);
    let named = select(vec![users(&named)], vec![]);
    assert_eq!(customer.selected(&named).await, numbers([0, 2, 4]));
}

async fn s08_select_all_selects_the_page_and_no_other(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(8).await;
    customer.set_seats(NOTES, 8).await;
    let [_, second, _] = customer.three_pages().await;
    let inline = select(vec![users(&all_on(&second))], vec![]);
    let kept = select(vec![frozen(&customer.frozen(inline.clone()).await)], vec![]);
    for selection in [&inline, &kept] {
        assert_eq!(customer.selected(selection).await, numbers(3..6));
    }
    let saved = customer.save(assign(&[NOTES]), kept).await;
    assert_eq!(saved.counts(), (3, 0, 0));
    assert_eq!(customer.holders_of_notes().await, numbers(3..6));
}

async fn s09_pages_are_turned_first_previous_next_and_last(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(8).await;
    let [first, second, third] = customer.three_pages().await;
    assert_eq!(all_on(&first), numbers(0..3));
    assert_eq!(first.previous_page_token, "", "nothing is before the first");
    assert_eq!(all_on(&second), numbers(3..6));
    assert_eq!(all_on(&third), numbers(6..8));
    assert_eq!(third.next_page_token, "", "nothing is after the last");
    assert_eq!(third.last_page_token, "", "this is the last");

    // Back the way that was come, up to the first.
    let back = customer.users_page(&third.previous_page_token).await;
    assert_eq!(back.users, second.users);
    let back = customer.users_page(&back.previous_page_token).await;
    assert_eq!(back.users, first.users);
    assert_eq!(back.previous_page_token, "");

    // To the end at once, from the first page and from the middle, and back from there.
    for page in [&first, &second] {
        let last = customer.users_page(&page.last_page_token).await;
        assert_eq!(all_on(&last), numbers(5..8), "the last three");
        assert_eq!(last.next_page_token, "");
        let before = customer.users_page(&last.previous_page_token).await;
        assert_eq!(all_on(&before), numbers(2..5));
        let next = customer.users_page(&before.next_page_token).await;
        assert_eq!(next.users, last.users);
    }
    // First: no token.
    assert_eq!(customer.users_page("").await.users, first.users);
    assert_eq!(
        customer.three_pages().await.map(shown),
        [first, second, third].map(shown)
    );
}

async fn s09_a_page_that_is_the_only_one_leads_nowhere(server: &Harness) {
    server.start().await;
    for count in [0, 3] {
        let customer = server.customer_with_users(count).await;
        let only = customer.users_page("").await;
        assert_eq!(all_on(&only), user_ids(count));
        let ways = [
            only.next_page_token,
            only.previous_page_token,
            only.last_page_token,
        ];
        assert_eq!(ways, [""; 3]);
    }
}

fn shown(page: ListUsersResponse) -> Vec<User> {
    page.users
}

async fn s10_a_selection_survives_the_turning_of_pages(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(8).await;
    customer.set_seats(NOTES, 8).await;
    let [first, _, third] = customer.three_pages().await;
    let (first, third) = (users(&all_on(&first)), users(&all_on(&third)));

    // Carried along by the caller, or kept by the server and extended on the third page.
    let inline = select(vec![first.clone(), third.clone()], vec![]);
    let kept = customer.frozen(select(vec![first], vec![])).await;
    let extended = select(vec![frozen(&kept), third], vec![]);
    let extended = customer.frozen(extended).await;
    let expected = numbers([0, 1, 2, 6, 7]);
    for selection in [inline, select(vec![frozen(&extended)], vec![])] {
        assert_eq!(customer.selected(&selection).await, expected);
        let saved = customer.save(assign(&[NOTES]), selection.clone()).await;
        assert_eq!(saved.batch.user_count(), 5);
        assert_eq!(customer.holders_of_notes().await, expected);
        let users = expected.clone();
        customer.revoke(&[NOTES], &users).await;
    }
}

async fn s11_the_selected_users_are_shown_and_only_those(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(9).await;
    let all = customer.users().await;
    let pick = |chosen: &[usize]| -> Vec<User> {
        chosen.iter().map(|number| all[*number].clone()).collect()
    };
    let kept = customer.frozen(these([8, 2, 5, 4])).await;
    for (selection, expected) in [
        (these([8, 2, 5, 4]), pick(&[2, 4, 5, 8])),
        (select(vec![frozen(&kept)], vec![]), pick(&[2, 4, 5, 8])),
        // One is taken out again; one who was never in makes no difference.
        (
            select(vec![frozen(&kept)], vec![users(&numbers([5, 6]))]),
            pick(&[2, 4, 8]),
        ),
        (
            select(vec![everybody()], vec![users(&numbers(1..9))]),
            pick(&[0]),
        ),
    ] {
        let page = customer.page(&selection, 0, "").await.expect("a page");
        assert_eq!(page.users, expected);
        assert_eq!(page.total_size, Some(expected.len() as i64));
        assert_eq!(page.next_page_token, "");
    }
}

impl Customer {
    /// Who holds NOTES, by id.
    async fn holders_of_notes(&self) -> Vec<String> {
        let held = self.assignments().await.into_iter();
        held.filter(|held| held.product_id == NOTES)
            .map(|held| held.user_id)
            .collect()
    }
}

on_every_engine![
    s01_nobody_is_served_from_elsewhere_by_accident,
    s04_every_license_of_the_customer_is_shown,
    s05_a_customer_is_picked_from_a_list,
    s06_only_the_users_of_the_customer_are_listed,
    s07_two_or_more_users_are_selected,
    s08_select_all_selects_the_page_and_no_other,
    s09_pages_are_turned_first_previous_next_and_last,
    s09_a_page_that_is_the_only_one_leads_nowhere,
    s10_a_selection_survives_the_turning_of_pages,
    s11_the_selected_users_are_shown_and_only_those,
];
