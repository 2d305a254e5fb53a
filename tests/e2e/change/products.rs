//! Replacing products, turning single plans on and off, and revoking all else.

use seatwise_client::v1::ReasonCode::{SeatsExhausted, UsageLocationMissing};
use seatwise_client::v1::{Change, PlanChoice, ProductAssignment, RevokeOthers};

use crate::customer::{Customer, assert_applied, assert_failed, assert_unchanged, held};
use crate::fixtures::plan::{CHAT, DRIVE, MAIL};
use crate::fixtures::product::{NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{
    CATALOGUE, all_except, assign, assign_plans, delta, only, replace, revoke, strings, user_id,
    user_ids,
};
use crate::harness::{Harness, on_every_engine};

/// Has the plans of SUITE and one more.
const PLUS: &str = "a0000000-0000-4000-8000-000000000009";
const BOARD: &str = "b0000000-0000-4000-8000-00000000000b";
const PLUS_ROWS: &str = "\
Suite Plus,PLUS,a0000000-0000-4000-8000-000000000009,MAIL,b0000000-0000-4000-8000-000000000001,Mail,User
Suite Plus,PLUS,a0000000-0000-4000-8000-000000000009,CHAT,b0000000-0000-4000-8000-000000000002,Chat,User
Suite Plus,PLUS,a0000000-0000-4000-8000-000000000009,DRIVE,b0000000-0000-4000-8000-000000000003,Drive,User
Suite Plus,PLUS,a0000000-0000-4000-8000-000000000009,BOARD,b0000000-0000-4000-8000-00000000000b,Board,User
";

/// Five users and ten seats each of SUITE and PLUS.
async fn customer_with_plus(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let catalogue = [CATALOGUE, PLUS_ROWS].concat();
    let client = server.client();
    let imported = client.import_catalogue(catalogue.as_bytes()).await;
    imported.expect("the catalogue is good");
    let customer = server.customer_with_users(5).await;
    customer.set_seats(SUITE, 10).await;
    customer.set_seats(PLUS, 10).await;
    customer
}

fn assign_delta(enable: &[&str], disable: &[&str]) -> Change {
    Change {
        assign: vec![ProductAssignment {
            product_id: SUITE.to_owned(),
            plans: Some(delta(enable, disable)),
        }],
        ..Change::default()
    }
}

impl Customer {
    async fn choose(&self, product: &str, plans: PlanChoice, number: usize) {
        let results = self
            .run(assign_plans(product, plans), &[user_id(number)])
            .await;
        assert_applied(&results[0]);
    }

    /// The one product that a user holds, its choice, and the plans that are on.
    async fn only_product(&self, number: usize) -> (String, PlanChoice, Vec<String>) {
        let mut held = self.assignments_of(&user_id(number)).await;
        assert_eq!(held.len(), 1, "{held:?}");
        let held = held.remove(0);
        let plans = held.plans.expect("an assignment tells its choice");
        (held.product_id, plans, held.enabled_plan_ids)
    }
}

async fn a_replacement_carries_the_plans_over(server: &Harness) {
    let customer = customer_with_plus(server).await;
    customer.give(&[SUITE], &[user_id(0)]).await;
    customer.choose(SUITE, all_except(&[CHAT]), 1).await;
    customer.choose(SUITE, only(&[CHAT]), 2).await;
    // Holds both already.
    customer.choose(PLUS, only(&[MAIL]), 3).await;
    customer.choose(SUITE, all_except(&[MAIL]), 3).await;

    let results = customer.run(replace(SUITE, PLUS, None), &user_ids(5)).await;
    for result in &results[..3] {
        assert_applied(result);
        assert_eq!(result.assigned_product_ids, [PLUS]);
        assert_eq!(result.revoked_product_ids, [SUITE]);
    }
    assert_eq!(results[3].assigned_product_ids, [""; 0]);
    assert_eq!(results[3].changed_product_ids, [""; 0]);
    assert_eq!(results[3].revoked_product_ids, [SUITE]);
    // Who does not hold it is left alone.
    assert_unchanged(&results[4]);
    assert_eq!(customer.products_of(&user_id(4)).await, [""; 0]);
    for (number, choice, on) in [
        (0, all_except(&[]), vec![MAIL, CHAT, DRIVE, BOARD]),
        (1, all_except(&[CHAT]), vec![MAIL, DRIVE, BOARD]),
        (2, all_except(&[MAIL, DRIVE]), vec![CHAT, BOARD]),
        (3, only(&[MAIL]), vec![MAIL]),
    ] {
        let expected = (PLUS.to_owned(), choice, strings(&on));
        assert_eq!(customer.only_product(number).await, expected);
    }
    customer.assert_seats(SUITE, 0, 10).await;
    customer.assert_seats(PLUS, 4, 6).await;
    let again = customer.run(replace(SUITE, PLUS, None), &user_ids(5)).await;
    again.iter().for_each(assert_unchanged);
}

async fn a_replacement_can_say_other_plans(server: &Harness) {
    let customer = customer_with_plus(server).await;
    for number in [0, 1] {
        customer.choose(SUITE, all_except(&[CHAT]), number).await;
    }
    // A delta starts from what is carried over.
    let by_delta = replace(SUITE, PLUS, Some(delta(&[CHAT], &[DRIVE, BOARD])));
    customer.run(by_delta, &[user_id(0)]).await;
    let said = crate::fixtures::set_to(only(&[BOARD]));
    customer
        .run(replace(SUITE, PLUS, Some(said)), &[user_id(1)])
        .await;
    let (_, _, on) = customer.only_product(0).await;
    assert_eq!(on, [MAIL, CHAT]);
    let (_, choice, on) = customer.only_product(1).await;
    assert_eq!((choice, on), (only(&[BOARD]), strings(&[BOARD])));
}

async fn a_replacement_hands_the_seat_over(server: &Harness) {
    let customer = customer_with_plus(server).await;
    customer.set_seats(SUITE, 1).await;
    customer.give(&[SUITE], &[user_id(0)]).await;
    let request = customer.own_changes([
        (user_id(0), replace(SUITE, PLUS, None)),
        (user_id(1), assign(&[SUITE])),
    ]);
    let results = customer.execute(request).await.by_index();
    results.iter().for_each(assert_applied);
    assert_eq!(held(&results[0]), [PLUS]);
    assert_eq!(held(&results[1]), [SUITE]);
    customer.assert_seats(SUITE, 1, 0).await;
    customer.assert_seats(PLUS, 1, 9).await;
}

async fn without_a_seat_for_the_new_product_the_old_one_stays(server: &Harness) {
    let customer = customer_with_plus(server).await;
    customer.set_seats(PLUS, 1).await;
    for number in 0..3 {
        customer.choose(SUITE, all_except(&[CHAT]), number).await;
    }
    customer.unlocate([0]).await;
    let before = customer.assignments().await;
    let results = customer.run(replace(SUITE, PLUS, None), &user_ids(3)).await;
    assert_failed(&results[0], &[UsageLocationMissing]);
    assert_applied(&results[1]);
    assert_failed(&results[2], &[SeatsExhausted]);
    for number in [0, 2] {
        let after = customer.assignments_of(&user_id(number)).await;
        assert_eq!(after.len(), 1);
        assert!(before.contains(&after[0]), "with its plans and its time");
    }
    customer.assert_seats(SUITE, 2, 8).await;
    customer.assert_seats(PLUS, 1, 0).await;
}

async fn a_delta_touches_the_plans_it_names_and_no_other(server: &Harness) {
    let customer = customer_with_plus(server).await;
    customer.give(&[SUITE], &[user_id(0)]).await;
    customer.choose(SUITE, only(&[MAIL]), 1).await;
    customer.choose(SUITE, only(&[CHAT]), 2).await;
    customer.choose(SUITE, all_except(&[MAIL]), 3).await;

    // The intent keeps its form; a new holder starts from all.
    let change = assign_delta(&[DRIVE], &[MAIL]);
    let results = customer.run(change.clone(), &user_ids(5)).await;
    for number in [0, 1, 2] {
        assert_eq!(results[number].changed_product_ids, [SUITE]);
    }
    assert_unchanged(&results[3]);
    assert_eq!(results[4].assigned_product_ids, [SUITE]);
    for (number, choice, on) in [
        (0, all_except(&[MAIL]), vec![CHAT, DRIVE]),
        (1, only(&[DRIVE]), vec![DRIVE]),
        (2, only(&[CHAT, DRIVE]), vec![CHAT, DRIVE]),
        (3, all_except(&[MAIL]), vec![CHAT, DRIVE]),
        (4, all_except(&[MAIL]), vec![CHAT, DRIVE]),
    ] {
        let expected = (SUITE.to_owned(), choice, strings(&on));
        assert_eq!(customer.only_product(number).await, expected, "{number}");
    }
    let again = customer.run(change, &user_ids(5)).await;
    again.iter().for_each(assert_unchanged);
    customer.assert_seats(SUITE, 5, 5).await;
}

async fn all_products_that_are_not_named_are_revoked(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    for product in [SUITE, NOTES, VIDEO, VOICE] {
        customer.set_seats(product, 3).await;
    }
    customer.choose(SUITE, only(&[MAIL]), 0).await;
    customer.give(&[NOTES, VIDEO], &user_ids(2)).await;
    let before = customer.assignments_of(&user_id(0)).await;

    let only_these = |change: Change, keep: &[&str]| Change {
        revoke_others: Some(RevokeOthers {
            keep_product_ids: strings(keep),
        }),
        ..change
    };
    let change = only_these(assign(&[VOICE, NOTES]), &[SUITE]);
    let results = customer.run(change.clone(), &user_ids(3)).await;
    let shown: Vec<_> = results.iter().map(held).collect();
    let expected = [
        vec![SUITE, VOICE, NOTES],
        vec![VOICE, NOTES],
        vec![VOICE, NOTES],
    ];
    assert_eq!(shown, expected);
    assert_eq!(results[0].revoked_product_ids, [VIDEO]);
    assert_eq!(results[2].revoked_product_ids, [""; 0]);
    let after = customer.assignments_of(&user_id(0)).await;
    assert!(before.contains(&after[0]), "what is kept is not touched");
    customer.assert_seats(VIDEO, 0, 3).await;
    let again = customer.run(change, &user_ids(3)).await;
    again.iter().for_each(assert_unchanged);

    // All but what is revoked anyway is all.
    let all = only_these(revoke(&[NOTES]), &[]);
    let results = customer.run(all, &[user_id(0)]).await;
    assert_eq!(held(&results[0]), [""; 0]);
    let nothing = only_these(Change::default(), &[]);
    let results = customer.run(nothing, &user_ids(3)).await;
    assert_unchanged(&results[0]);
    results[1..].iter().for_each(assert_applied);
    assert_eq!(customer.assignments().await, []);
}

on_every_engine![
    a_replacement_carries_the_plans_over,
    a_replacement_can_say_other_plans,
    a_replacement_hands_the_seat_over,
    without_a_seat_for_the_new_product_the_old_one_stays,
    a_delta_touches_the_plans_it_names_and_no_other,
    all_products_that_are_not_named_are_revoked,
];
