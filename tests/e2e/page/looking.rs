//! Looking at what the selected users hold before anything is chosen.

use seatwise_client::v1::{Coverage, ImportedUser, Selection};

use super::these;
use crate::customer::{Customer, imported_user};
use crate::fixtures::product::{NOTES, SUITE, VIDEO};
use crate::fixtures::{user_id, user_ids};
use crate::harness::{BUY_MORE_URL, Harness, on_every_engine};
use crate::holdings::told;
use crate::selections::{everybody, frozen, numbers, select, users};

async fn s12_every_license_is_listed_with_its_available_seats(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(NOTES, 10).await;
    customer.set_seats(VIDEO, 3).await;
    customer.set_seats(SUITE, 0).await;
    customer.give(&[NOTES, VIDEO], &user_ids(3)).await;

    let licenses = customer.licenses().await;
    let seats: Vec<_> = licenses
        .iter()
        .map(|l| (l.string_id.as_str(), l.total(), l.assigned(), l.available()))
        .collect();
    let expected = [("NOTES", 10, 3, 7), ("SUITE", 0, 0, 0), ("VIDEO", 3, 3, 0)];
    assert_eq!(seats, expected);

    // They are the same beside a selection, whomever it has: seats are the customer's.
    for selection in [these([0]), these(0..3)] {
        let summary = customer.summary(selection, false).await;
        let beside = summary.licenses.into_iter().filter_map(|held| held.license);
        assert_eq!(beside.collect::<Vec<_>>(), licenses);
    }
}

/// Six users, of whom 0 to 3 hold NOTES.
async fn customer_with_holders(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(6).await;
    customer.set_seats(NOTES, 6).await;
    customer.set_seats(VIDEO, 0).await;
    customer.give(&[NOTES], &user_ids(4)).await;
    customer
}

/// Checks what is said of NOTES over a selection, which may be sent along or kept.
async fn assert_told(customer: &Customer, selection: Selection, holders: i32, coverage: Coverage) {
    let kept = frozen(&customer.frozen(selection.clone()).await);
    for selection in [selection, select(vec![kept], vec![])] {
        let held = customer.held_of(&selection, NOTES).await;
        assert_eq!(told(&held), (holders, coverage), "{selection:?}");
    }
}

async fn s13_a_product_that_every_selected_user_has_shows_all(server: &Harness) {
    let customer = customer_with_holders(server).await;
    // Who is not selected does not count.
    assert_told(&customer, these(0..4), 4, Coverage::All).await;
    assert_told(&customer, these([3]), 1, Coverage::All).await;
    customer.give(&[NOTES], &numbers([4, 5])).await;
    let all = select(vec![everybody()], vec![]);
    assert_told(&customer, all, 6, Coverage::All).await;
}

async fn s14_a_product_that_some_selected_users_have_shows_some(server: &Harness) {
    let customer = customer_with_holders(server).await;
    // All but one, and only one.
    assert_told(&customer, these(0..5), 4, Coverage::Some).await;
    assert_told(&customer, these(3..6), 1, Coverage::Some).await;
    let all = select(vec![everybody()], vec![]);
    assert_told(&customer, all, 4, Coverage::Some).await;
}

async fn s15_a_product_that_no_selected_user_has_shows_none(server: &Harness) {
    let customer = customer_with_holders(server).await;
    assert_told(&customer, these([4, 5]), 0, Coverage::None).await;
    let but_holders = select(vec![everybody()], vec![users(&user_ids(4))]);
    assert_told(&customer, but_holders, 0, Coverage::None).await;
    let nobody = select(vec![everybody()], vec![everybody()]);
    assert_told(&customer, nobody, 0, Coverage::None).await;
}

async fn s16_each_selected_user_is_shown(server: &Harness) {
    server.start().await;
    let customer = server.customer_with_users(10).await;
    let selection = these((0..10).filter(|number| number % 3 != 1));
    let expected = numbers([0, 2, 3, 5, 6, 8, 9]);
    // More than fit on one page of three.
    assert_eq!(customer.selected(&selection).await, expected);
    let page = customer.page(&selection, 3, "").await.expect("a page");
    assert_eq!(page.total_size, Some(7));
    let all = customer.users().await;
    assert_eq!(page.users, [&all[0], &all[2], &all[3]].map(Clone::clone));
    let summary = customer.summary(selection, false).await;
    assert_eq!(summary.user_count(), 7);
}

async fn s17_selected_users_are_sorted(server: &Harness) {
    server.start().await;
    let customer = server.customer().await;
    let names = ["bob", "Ada", "Bob", "ada", "Carol", "ADAM"];
    let person = |(number, name): (usize, &&str)| ImportedUser {
        display_name: Some((*name).to_owned()),
        ..imported_user(number)
    };
    let people = names.iter().enumerate().map(person);
    customer.import(people.collect()).await;
    // By name in any case, then by id; the order of selecting makes no difference.
    let expected = numbers([1, 3, 5, 0, 2, 4]);
    for chosen in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [2, 4, 0, 5, 1, 3]] {
        let selection = these(chosen);
        assert_eq!(customer.selected(&selection).await, expected);
        let kept = frozen(&customer.frozen(selection).await);
        let kept = select(vec![kept], vec![]);
        assert_eq!(customer.selected(&kept).await, expected);
    }
}

async fn s18_the_selected_users_who_have_a_license_are_listed(server: &Harness) {
    let customer = customer_with_holders(server).await;
    customer.set_seats(VIDEO, 2).await;
    customer.give(&[VIDEO], &numbers([4, 5])).await;
    // 0 and 3 hold it, too, and are not selected.
    let selection = these([1, 2, 4, 5]);
    let kept = frozen(&customer.frozen(selection.clone()).await);
    for selection in [selection, select(vec![kept], vec![])] {
        let holders = customer.holders(&selection, NOTES, false).await;
        assert_eq!(holders, numbers([1, 2]));
        let others = customer.holders(&selection, NOTES, true).await;
        assert_eq!(others, numbers([4, 5]));
        let holders = customer.holders(&selection, VIDEO, false).await;
        assert_eq!(holders, numbers([4, 5]));
        let held = customer.held_of(&selection, NOTES).await;
        assert_eq!(held.holder_count(), 2, "as many as are listed");
    }
}

async fn s19_a_license_without_available_seats_says_buy_more(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(NOTES, 2).await;
    customer.give(&[NOTES], &[user_id(0)]).await;
    let license = customer.license(NOTES).await;
    assert!(!license.buy_more());
    assert_eq!(license.buy_more_url, "");

    customer.give(&[NOTES], &[user_id(1)]).await;
    let full = customer.license(NOTES).await;
    assert!(full.buy_more());
    assert_eq!(full.buy_more_url, BUY_MORE_URL);

    // A cut leaves the holders alone; less than nothing is available then.
    let cut = customer.set_seats(NOTES, 1).await;
    assert_eq!(cut.available(), -1);
    assert!(cut.buy_more());
    customer.assert_seats(NOTES, 2, -1).await;

    // Beside a selection it is shown as well.
    let held = customer.held_of(&these([1]), NOTES).await;
    assert_eq!(told(&held), (1, Coverage::All));
    let beside = held.license.expect("a license");
    assert!(beside.buy_more());
    assert_eq!(beside.buy_more_url, BUY_MORE_URL);
}

on_every_engine![
    s12_every_license_is_listed_with_its_available_seats,
    s13_a_product_that_every_selected_user_has_shows_all,
    s14_a_product_that_some_selected_users_have_shows_some,
    s15_a_product_that_no_selected_user_has_shows_none,
    s16_each_selected_user_is_shown,
    s17_selected_users_are_sorted,
    s18_the_selected_users_who_have_a_license_are_listed,
    s19_a_license_without_available_seats_says_buy_more,
];
