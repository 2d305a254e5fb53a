//! A plan token carries a request out if it would still do what its preview showed, and not else.

use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::user::State;
use seatwise_client::v1::{
    Change, DeleteUserRequest, ExecuteBatchRequest, ImportedUser, UpdateCustomerRequest,
};
use seatwise_client::{Code, Error};

use super::{all_counts, atomic, refuse_if_short, with};
use crate::customer::{Customer, imported_user, read};
use crate::fixtures::product::{NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{
    RULES, all_except, assign, assign_plans, change, plan, strings, user_id, user_ids,
};
use crate::harness::{Harness, on_every_engine};

/// Users 0 to 3 are asked about, 4 is not; 0 holds VIDEO. Four seats of ten are needed.
async fn prepare(server: &Harness) -> Customer {
    let customer = server.customer_with_users(5).await;
    for product in [NOTES, SUITE, VIDEO, VOICE] {
        customer.set_seats(product, 10).await;
    }
    customer.give(&[VIDEO], &user_ids(1)).await;
    customer
}

fn request(customer: &Customer) -> ExecuteBatchRequest {
    customer.request(change(&[NOTES], &[VIDEO]), user_ids(4))
}

/// The request with the token of its preview.
async fn promised(customer: &Customer, request: ExecuteBatchRequest) -> ExecuteBatchRequest {
    let preview = customer.preview(&request).await;
    ExecuteBatchRequest {
        plan_token: preview.summary.plan_token,
        ..request
    }
}

async fn refused(customer: &Customer, request: &ExecuteBatchRequest, what: &str) -> Error {
    let before = customer.state().await;
    let error = read(customer.client.batch(request.clone())).await;
    let error = match error {
        Ok(outcome) => panic!("{what}: not refused: {outcome:?}"),
        Err(error) => error,
    };
    assert_eq!(customer.state().await, before, "{what}: had an effect");
    error
}

async fn assert_stale(customer: &Customer, request: &ExecuteBatchRequest, what: &str) {
    let error = refused(customer, request, what).await;
    assert_eq!(error.reason, ErrorReason::PlanStale, "{what}: {error:?}");
    assert_eq!(error.code, Code::FailedPrecondition, "{what}");
}

async fn import(customer: &Customer, change: impl FnOnce(&mut ImportedUser)) {
    let mut user = imported_user(1);
    change(&mut user);
    customer.import(vec![user]).await;
}

async fn import_rules(customer: &Customer, more: &str) {
    let rules = [RULES, more].concat();
    let imported = customer.client.import_rules(rules.as_bytes()).await;
    imported.expect("the rules are good");
}

async fn a_plan_that_holds_is_carried_out_once(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = prepare(server).await;
    let request = promised(&customer, request(&customer)).await;
    let run = customer.outcome(&request).await;
    assert_eq!(all_counts(&run.batch), (4, 0, 0, 0));
    customer.assert_seats(NOTES, 4, 6).await;

    // Repeated it is the same batch, although the plan does not hold any more.
    let again = customer.outcome(&request).await;
    assert!(again.replayed);
    assert_eq!(again.bytes(), run.bytes());
    // Under another id it is another call.
    let other = ExecuteBatchRequest {
        request_id: String::new(),
        ..request
    };
    assert_stale(&customer, &other, "done already").await;
}

/// Does something that changes what the request would do.
async fn disturb(customer: &Customer, what: &str) {
    match what {
        "a location" => customer.unlocate([1]).await,
        "a state" => import(customer, |user| user.state = State::Inactive.into()).await,
        "a holding more" => customer.give(&[VOICE], &[user_id(1)]).await,
        "a holding less" => {
            customer.revoke(&[VIDEO], &[user_id(0)]).await;
        }
        "other plans of a holding" => {
            let none = assign_plans(VIDEO, all_except(&["b0000000-0000-4000-8000-00000000000a"]));
            customer.run(none, &[user_id(0)]).await;
        }
        "a user less" => {
            let request = DeleteUserRequest {
                customer_id: customer.id.clone(),
                user: user_id(2),
                etag: String::new(),
                comment: String::new(),
            };
            customer.client.delete_user(request).await.expect("deleted");
        }
        "too few seats" => {
            customer.set_seats(NOTES, 3).await;
        }
        "seats that others took" => {
            customer.set_seats(NOTES, 4).await;
            customer.give(&[NOTES], &[user_id(4)]).await;
        }
        "a rule" => {
            let rule = "prohibited_in,b0000000-0000-4000-8000-000000000009,NOTES,NL,\n";
            import_rules(customer, rule).await;
        }
        _ => panic!("{what}?"),
    }
}

async fn a_plan_that_does_not_hold_is_refused(server: &Harness) {
    server.start_with_catalogue().await;
    for what in [
        "a location",
        "a state",
        "a holding more",
        "a holding less",
        "other plans of a holding",
        "a user less",
        "too few seats",
        "seats that others took",
        "a rule",
    ] {
        let customer = prepare(server).await;
        let mut request = promised(&customer, request(&customer)).await;
        disturb(&customer, what).await;
        assert_stale(&customer, &request, what).await;
        // Without the promise it runs, under the same id; with a new one as well.
        request.plan_token.clear();
        let anew = promised(&customer, request.clone()).await;
        let run = customer.outcome(&request).await;
        assert!(!run.replayed, "{what}");
        let anew = customer.outcome(&anew).await;
        assert!(anew.replayed, "{what}: a token is no part of the request");
    }
}

/// Does something that cannot change what the request would do.
async fn pass_by(customer: &Customer, server: &Harness, what: &str) {
    match what {
        "another customer" => {
            let other = server.customer_with_users(5).await;
            other.set_seats(NOTES, 1).await;
            other.give(&[NOTES], &[user_id(1)]).await;
        }
        "another user" => {
            customer.give(&[SUITE], &[user_id(4)]).await;
            customer.unlocate([4]).await;
        }
        "seats of another product" => {
            customer.set_seats(SUITE, 0).await;
        }
        "seats that nobody needs" => {
            customer.set_seats(NOTES, 4).await;
        }
        "a name" => {
            import(customer, |user| user.display_name = Some("Zoë".into())).await;
        }
        "a sign-in name" => {
            import(customer, |user| {
                user.principal_name = "zoe@example.com".into()
            })
            .await;
        }
        "the name of the customer" => {
            let request = UpdateCustomerRequest {
                customer_id: customer.id.clone(),
                display_name: Some("Another".to_owned()),
                etag: String::new(),
                ..UpdateCustomerRequest::default()
            };
            customer
                .client
                .update_customer(request)
                .await
                .expect("renamed");
        }
        "a rule about other plans" => {
            let rule = "prohibited_in,b0000000-0000-4000-8000-000000000007,DOMESTIC,NL,\n";
            import_rules(customer, rule).await;
        }
        _ => panic!("{what}?"),
    }
}

async fn a_plan_is_not_refused_for_what_changes_nothing(server: &Harness) {
    server.start_with_catalogue().await;
    for what in [
        "another customer",
        "another user",
        "seats of another product",
        "seats that nobody needs",
        "a name",
        "a sign-in name",
        "the name of the customer",
        "a rule about other plans",
    ] {
        let customer = prepare(server).await;
        let request = promised(&customer, request(&customer)).await;
        pass_by(&customer, server, what).await;
        let run = read(customer.client.batch(request)).await;
        let run = run.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(all_counts(&run.batch), (4, 0, 0, 0), "{what}");
    }
}

async fn a_token_belongs_to_its_request(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = prepare(server).await;
    let good = promised(&customer, request(&customer)).await;
    let to_do = |change: Change| ExecuteBatchRequest {
        change: Some(change),
        ..good.clone()
    };
    let for_users = |users: &[String]| ExecuteBatchRequest {
        users: users.to_vec(),
        ..good.clone()
    };
    let with_token = |token: &str| ExecuteBatchRequest {
        plan_token: token.to_owned(),
        ..good.clone()
    };
    let swapped = [1, 0, 2, 3].map(user_id);
    let mut others = vec![
        ("another change", to_do(change(&[NOTES], &[VOICE]))),
        (
            "another choice",
            to_do(assign_plans(SUITE, all_except(&[plan::CHAT]))),
        ),
        ("a user less", for_users(&user_ids(3))),
        ("a user more", for_users(&user_ids(5))),
        ("another order", for_users(&swapped)),
        ("another mode", with(atomic(), good.clone())),
        ("another capacity", with(refuse_if_short(), good.clone())),
    ];
    // One of another customer who is just the same.
    let stranger = prepare(server).await;
    let theirs = promised(&stranger, request(&stranger)).await;
    others.push(("another customer's", with_token(&theirs.plan_token)));
    for (what, other) in others {
        let error = refused(&customer, &other, what).await;
        assert_eq!(error.reason, ErrorReason::PlanMismatch, "{what}: {error:?}");
        assert_eq!(error.code, Code::InvalidArgument, "{what}");
        assert_eq!(error.metadata["field"], "plan_token", "{what}");
    }
    for (what, token) in [("no token", "x"), ("a cut token", &good.plan_token[1..])] {
        let error = refused(&customer, &with_token(token), what).await;
        assert_eq!(error.reason, ErrorReason::InvalidField, "{what}: {error:?}");
        assert_eq!(error.code, Code::InvalidArgument, "{what}");
    }
    // Said in other words it is the same request.
    let mut same = good;
    same.users = strings(&[&user_id(0).to_uppercase(), &user_id(1)]);
    same.users.extend([2, 3].map(user_id));
    same.request_id = String::new();
    let run = customer.outcome(&same).await;
    assert_eq!(all_counts(&run.batch), (4, 0, 0, 0));
}

async fn an_atomic_plan_is_promised_too(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = prepare(server).await;
    let request = with(atomic(), customer.request(assign(&[NOTES]), user_ids(4)));
    let stale = promised(&customer, request.clone()).await;
    customer.unlocate([2]).await;
    assert_stale(&customer, &stale, "a location").await;
    // That it will be rolled back is a promise, too.
    let plan = promised(&customer, request).await;
    let run = customer.outcome(&plan).await;
    assert!(run.summary.rolled_back);
    assert_eq!(all_counts(&run.batch), (0, 0, 1, 3));
    customer.assert_seats(NOTES, 0, 10).await;
}

on_every_engine![
    a_plan_that_holds_is_carried_out_once,
    a_plan_that_does_not_hold_is_refused,
    a_plan_is_not_refused_for_what_changes_nothing,
    a_token_belongs_to_its_request,
    an_atomic_plan_is_promised_too,
];
