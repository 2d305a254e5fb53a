//! The reasons why a user can be refused that `page` does not show, with the ids and names of what
//! they are about.

use seatwise_client::v1::user::State;
use seatwise_client::v1::{
    ImportedUser, PlanRef, ProductRef, Reason, ReasonCode as Code, SetSeatsRequest,
};

use crate::customer::{Customer, assert_applied, codes_of, imported_user};
use crate::fixtures::product::{BACKUP, DIAL, MAILBOX, NOTES, PHONE, SUITE, VIDEO, VOICE};
use crate::fixtures::{UNKNOWN_ID, all_except, change, plan, set_to, user_id};
use crate::harness::{Harness, on_every_engine};

async fn a_seat_that_is_not_there_is_reported_with_what_is_available(server: &Harness) {
    let customer = customer_with_everything(server).await;
    customer.set_seats(NOTES, 1).await;
    customer.give(&[NOTES], &[user_id(1)]).await;
    for (seats, available) in [(1, 0), (0, -1)] {
        customer.set_seats(NOTES, seats).await;
        let reason = Reason {
            product: product_ref(NOTES, "Notes"),
            available: Some(available),
            ..reason(Code::SeatsExhausted)
        };
        assert_refused(&customer, &[NOTES], &[], reason).await;
    }
}

async fn a_product_without_a_license_is_reported(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    let reason = Reason {
        product: product_ref(VIDEO, "Video"),
        ..reason(Code::ProductNotLicensed)
    };
    assert_refused(&customer, &[VIDEO], &[], reason).await;
}

async fn a_product_for_the_company_is_reported(server: &Harness) {
    let customer = customer_with_everything(server).await;
    let reason = Reason {
        product: product_ref(BACKUP, "Backup"),
        ..reason(Code::ProductNotForUsers)
    };
    assert_refused(&customer, &[BACKUP], &[], reason).await;
}

async fn a_suspended_license_is_reported(server: &Harness) {
    let customer = customer_with_everything(server).await;
    let seats = |enabled, warning, suspended| SetSeatsRequest {
        customer_id: customer.id.clone(),
        product_id: NOTES.to_owned(),
        enabled: Some(enabled),
        warning: Some(warning),
        suspended: Some(suspended),
        ..SetSeatsRequest::default()
    };
    let suspended = customer.client.set_seats(seats(0, 0, 5)).await;
    assert_eq!(suspended.expect("seats are set").total(), 0);
    let reason = Reason {
        product: product_ref(NOTES, "Notes"),
        ..reason(Code::LicenseSuspended)
    };
    assert_refused(&customer, &[NOTES], &[], reason).await;

    // Seats in grace can be assigned.
    let grace = customer.client.set_seats(seats(0, 1, 4)).await;
    assert_eq!(grace.expect("seats are set").available(), 1);
    customer.give(&[NOTES], &[user_id(0)]).await;
}

async fn a_user_who_is_not_there_is_reported_under_the_name_that_was_asked_for(server: &Harness) {
    let customer = customer_with_everything(server).await;
    for name in [UNKNOWN_ID, "Nobody@example.com"] {
        let results = customer.assign(&[NOTES], &[name.to_owned()]).await;
        assert_eq!(results[0].reasons, [reason(Code::UserNotFound)]);
        assert_eq!(results[0].principal_name, name);
        assert_eq!(results[0].user_id, "");
        assert!(results[0].held.is_empty());
    }
}

async fn an_inactive_user_is_reported(server: &Harness) {
    let customer = customer_with_everything(server).await;
    customer.import(vec![inactive(0)]).await;
    let reason = reason(Code::UserInactive);
    assert_refused(&customer, &[NOTES], &[], reason).await;
}

async fn all_reasons_against_a_user_are_reported_together(server: &Harness) {
    let customer = customer_with_everything(server).await;
    customer.give(&[MAILBOX], &[user_id(0)]).await;
    customer.set_seats(NOTES, 0).await;
    let mut user = inactive(0);
    user.usage_location = Some(String::new());
    customer.import(vec![user]).await;

    let change = change(&[SUITE, PHONE, NOTES, BACKUP], &[]);
    let without_chat = all_except(&[plan::CHAT]);
    let mut changed = change.clone();
    changed.assign[0].plans = Some(set_to(without_chat));
    let results = customer.run(changed, &[user_id(0)]).await;
    let mut codes = codes_of(&results[0]);
    codes.sort_unstable();
    let expected = [
        Code::SeatsExhausted,
        Code::MutuallyExclusivePlans,
        Code::PrerequisiteMissing,
        Code::UsageLocationMissing,
        Code::ProductNotForUsers,
        Code::UserInactive,
    ];
    assert_eq!(codes, expected);
    assert_eq!(customer.products_of(&user_id(0)).await, [MAILBOX]);
}

async fn a_violation_that_was_there_before_does_not_count(server: &Harness) {
    let customer = customer_with_everything(server).await;
    customer.give(&[DIAL], &[user_id(0)]).await;
    // Now the user has a plan that is prohibited where it is.
    customer.import(vec![located(0, "US")]).await;
    customer.give(&[NOTES], &[user_id(0)]).await;
    let results = customer.revoke(&[DIAL], &[user_id(0)]).await;
    assert_applied(&results[0]);
}

/// A customer with two users and ten seats of every product.
pub(crate) async fn customer_with_everything(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    for product in [SUITE, MAILBOX, PHONE, VOICE, DIAL, BACKUP, NOTES, VIDEO] {
        customer.set_seats(product, 10).await;
    }
    customer
}

/// Does a change to user 0 and expects a refusal for this one reason, and no effect.
pub(crate) async fn assert_refused(
    customer: &Customer,
    assign: &[&str],
    revoke: &[&str],
    reason: Reason,
) {
    let before = (customer.assignments().await, customer.licenses().await);
    let results = customer.run(change(assign, revoke), &[user_id(0)]).await;
    crate::customer::assert_failed(&results[0], &[reason.code()]);
    assert_eq!(results[0].reasons, [reason]);
    let after = (customer.assignments().await, customer.licenses().await);
    assert_eq!(after, before);
}

pub(crate) fn reason(code: Code) -> Reason {
    Reason {
        code: code.into(),
        ..Reason::default()
    }
}

pub(crate) fn product_ref(product_id: &str, display_name: &str) -> Option<ProductRef> {
    Some(ProductRef {
        product_id: product_id.to_owned(),
        display_name: display_name.to_owned(),
    })
}

pub(crate) fn plan_ref(plan_id: &str, name: &str) -> Option<PlanRef> {
    Some(PlanRef {
        plan_id: plan_id.to_owned(),
        name: name.to_owned(),
    })
}

pub(crate) fn chat_or_voice() -> Vec<PlanRef> {
    let plans = [plan_ref(plan::CHAT, "CHAT"), plan_ref(plan::VOICE, "VOICE")];
    plans.into_iter().flatten().collect()
}

pub(crate) fn located(number: usize, usage_location: &str) -> ImportedUser {
    ImportedUser {
        usage_location: Some(usage_location.to_owned()),
        ..imported_user(number)
    }
}

fn inactive(number: usize) -> ImportedUser {
    ImportedUser {
        state: State::Inactive.into(),
        ..imported_user(number)
    }
}

on_every_engine![
    a_seat_that_is_not_there_is_reported_with_what_is_available,
    a_product_without_a_license_is_reported,
    a_product_for_the_company_is_reported,
    a_suspended_license_is_reported,
    a_user_who_is_not_there_is_reported_under_the_name_that_was_asked_for,
    an_inactive_user_is_reported,
    all_reasons_against_a_user_are_reported_together,
    a_violation_that_was_there_before_does_not_count,
];
