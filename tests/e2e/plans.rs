//! The choice of service plans, made again.

use seatwise_client::v1::{Assignment, BatchResult, PlanChoice};

use crate::customer::{Customer, assert_applied, assert_unchanged};
use crate::fixtures::plan::{CHAT, DRIVE, MAIL};
use crate::fixtures::product::{NOTES, SUITE};
use crate::fixtures::{all_except, assign_plans, only, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};

async fn assigning_again_without_a_choice_keeps_the_choice(server: &Harness) {
    let customer = customer_with_suite(server).await;
    let choice = all_except(&[CHAT]);
    customer
        .run(assign_plans(SUITE, choice.clone()), &user_ids(1))
        .await;
    let before = suite_of(&customer, 0).await;

    let results = customer.assign(&[SUITE], &user_ids(1)).await;
    assert_unchanged(&results[0]);
    assert_eq!(plans_of(&results[0]), Some(choice));
    assert_eq!(suite_of(&customer, 0).await, before);
}

async fn assigning_again_with_another_choice_changes_it_and_takes_no_seat(server: &Harness) {
    let customer = customer_with_suite(server).await;
    customer.set_seats(SUITE, 1).await;
    customer.give(&[SUITE], &user_ids(1)).await;
    let choices = [
        (all_except(&[CHAT]), vec![MAIL, DRIVE]),
        (only(&[CHAT]), vec![CHAT]),
        (only(&[]), vec![]),
        (all_except(&[MAIL, CHAT, DRIVE]), vec![]),
        (all_except(&[]), vec![MAIL, CHAT, DRIVE]),
    ];
    for (choice, enabled) in choices {
        let change = assign_plans(SUITE, choice.clone());
        let results = customer.run(change.clone(), &user_ids(1)).await;
        assert_applied(&results[0]);
        assert_eq!(results[0].changed_product_ids, [SUITE]);
        assert_eq!(results[0].assigned_product_ids, [""; 0]);
        let suite = suite_of(&customer, 0).await;
        assert_eq!(suite.plans, Some(choice));
        assert_eq!(suite.enabled_plan_ids, enabled);
        let again = customer.run(change, &user_ids(1)).await;
        assert_unchanged(&again[0]);
    }
    customer.assert_seats(SUITE, 1, 0).await;
}

async fn the_order_and_case_of_plans_make_no_difference(server: &Harness) {
    let customer = customer_with_suite(server).await;
    let upper = MAIL.to_uppercase();
    let change = assign_plans(SUITE, only(&[DRIVE, &upper]));
    customer.run(change, &user_ids(1)).await;
    let change = assign_plans(SUITE, only(&[MAIL, DRIVE]));
    let again = customer.run(change, &user_ids(1)).await;
    assert_unchanged(&again[0]);
}

/// A customer with two users and two seats each of SUITE and NOTES.
pub(crate) async fn customer_with_suite(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(SUITE, 2).await;
    customer.set_seats(NOTES, 2).await;
    customer
}

/// The choice that a result says of its first product.
pub(crate) fn plans_of(result: &BatchResult) -> Option<PlanChoice> {
    assert_eq!(result.held[0].product_id, SUITE);
    result.held[0].plans.clone()
}

pub(crate) async fn suite_of(customer: &Customer, number: usize) -> Assignment {
    let assignments = customer.assignments_of(&user_id(number)).await;
    let suite = assignments.into_iter().find(|a| a.product_id == SUITE);
    suite.expect("the user holds the suite")
}

on_every_engine![
    assigning_again_without_a_choice_keeps_the_choice,
    assigning_again_with_another_choice_changes_it_and_takes_no_seat,
    the_order_and_case_of_plans_make_no_difference,
];
