//! Bad requests for a batch.

use seatwise_client::transport::v1::ErrorReason::{
    ContradictoryChange, DuplicateUser, RequestIdReused, ResourceNotFound, TooManyItems,
    UnknownPlan, UnknownProduct,
};
use seatwise_client::v1::{Change, ExecuteBatchRequest, PlanChoice, UserChange};
use seatwise_client::{Code, Error};

use super::BadInput;
use crate::fixtures::plan::{CHAT, MAIL, MAIL_BASIC};
use crate::fixtures::product::{NOTES, SUITE, VIDEO};
use crate::fixtures::{
    UNKNOWN_ID, all_except, assign, assign_plans, change, only, strings, user_id, user_ids,
};
use crate::raw;

const NIL: &str = "00000000-0000-0000-0000-000000000000";

pub(super) async fn refused(bad: &mut BadInput<'_>) {
    ids(bad).await;
    users(bad).await;
    duplicates(bad).await;
    changes(bad).await;
    plans(bad).await;
    sizes(bad).await;
    large(bad).await;
    request_ids(bad).await;
}

async fn ids(bad: &mut BadInput<'_>) {
    let good = good(bad);
    for wrong in ["", "x", NIL, "{d0000000-0000-4000-8000-000000000001}"] {
        let mut request = good.clone();
        request.customer_id = wrong.to_owned();
        let call = execute(bad, request);
        bad.invalid("a customer that is no id", call, "customer_id")
            .await;
    }
    let mut request = good.clone();
    request.customer_id = UNKNOWN_ID.to_owned();
    let call = execute(bad, request);
    let place = ("resource", "customer");
    bad.refused(
        "a customer that is not there",
        call,
        ResourceNotFound,
        place,
    )
    .await;
    let mut request = good.clone();
    request.request_id = "d0000000-0000-4000-8000-00000000000g".to_owned();
    let call = execute(bad, request);
    bad.invalid("a request id that is none", call, "request_id")
        .await;
}

async fn users(bad: &mut BadInput<'_>) {
    let long = format!("{}@example.com", "x".repeat(245));
    let wrong = [
        "",
        "ada",
        NIL,
        "@example.com",
        "ada@",
        "a@b@c",
        "a da@example.com",
        "a\u{7}@example.com",
        "a\0@example.com",
        "a\u{a0}@example.com",
        " user0@example.com",
        &long,
        "C0000000-0000-4000-8000-00000000000",
        "c0000000000040008000000000000001",
    ];
    for user in wrong {
        let call = execute(bad, for_users(bad, vec![user_id(0), user.to_owned()]));
        bad.invalid("a user that is neither id nor name", call, "users[1]")
            .await;
    }
    let call = execute(bad, for_users(bad, Vec::new()));
    bad.invalid("nobody", call, "users").await;
    let request = ExecuteBatchRequest {
        change: None,
        ..good(bad)
    };
    let call = execute(bad, request);
    bad.invalid("nothing to do", call, "change").await;

    let own = |user: &str, change| UserChange {
        user: user.to_owned(),
        change,
    };
    let changes = vec![
        own(&user_id(0), Some(assign(&[NOTES]))),
        own(&user_id(1), None),
        own("ada", Some(assign(&[NOTES]))),
    ];
    let mut request = with_own(bad, changes);
    let call = execute(bad, request.clone());
    bad.invalid("a user without a change", call, "user_changes[1].change")
        .await;
    // The places after it are still counted right.
    let error = execute(bad, request.clone()).await.expect_err("refused");
    let places: Vec<_> = error.violations.iter().map(|v| &v.field).collect();
    assert_eq!(places, ["user_changes[1].change", "user_changes[2].user"]);
    request.user_changes.remove(1);
    let call = execute(bad, request.clone());
    bad.invalid(
        "a user of its own that is none",
        call,
        "user_changes[1].user",
    )
    .await;
    request.user_changes.truncate(1);
    request.change = Some(assign(&[NOTES]));
    let call = execute(bad, request.clone());
    bad.invalid("change and user_changes", call, "user_changes")
        .await;
    request.users = vec![user_id(1)];
    let call = execute(bad, request);
    bad.invalid("users and user_changes", call, "user_changes")
        .await;
}

async fn duplicates(bad: &mut BadInput<'_>) {
    let twice = [
        vec![user_id(0), user_id(1), user_id(0)],
        vec![user_id(0), user_id(1), user_id(0).to_uppercase()],
        vec![user_id(0), user_id(1), "USER0@Example.com".to_owned()],
        strings(&["user0@example.com", "x@example.com", "USER0@example.com"]),
        strings(&["straße@example.com", "x@example.com", "STRASSE@example.com"]),
        strings(&[UNKNOWN_ID, "x@example.com", UNKNOWN_ID]),
    ];
    for users in twice {
        let own = |user: &String| UserChange {
            user: user.clone(),
            change: Some(assign(&[NOTES])),
        };
        let changes = users.iter().map(own).collect();
        let call = execute(bad, for_users(bad, users));
        let place = ("field", "users[2]");
        bad.refused("a user twice", call, DuplicateUser, place)
            .await;
        let call = execute(bad, with_own(bad, changes));
        let place = ("field", "user_changes[2].user");
        bad.refused("a user twice with changes", call, DuplicateUser, place)
            .await;
    }
}

async fn changes(bad: &mut BadInput<'_>) {
    let product = ("field", "change.assign[0].product_id");
    for wrong in ["", "NOTES", NIL] {
        let call = execute(bad, to_do(bad, assign(&[wrong])));
        bad.invalid("a product that is no id", call, product.1)
            .await;
        let call = execute(bad, to_do(bad, change(&[], &[VIDEO, wrong])));
        bad.invalid(
            "a revoked product that is no id",
            call,
            "change.revoke_product_ids[1]",
        )
        .await;
    }
    let call = execute(bad, to_do(bad, change(&[], &[])));
    bad.invalid("an empty change", call, "change").await;
    let call = execute(bad, to_do(bad, assign(&[UNKNOWN_ID])));
    bad.refused("an unknown product", call, UnknownProduct, product)
        .await;
    let call = execute(bad, to_do(bad, change(&[NOTES], &[UNKNOWN_ID])));
    let place = ("field", "change.revoke_product_ids[0]");
    bad.refused("an unknown product to revoke", call, UnknownProduct, place)
        .await;

    let call = execute(bad, to_do(bad, change(&[NOTES, SUITE], &[SUITE])));
    bad.refused("assigned and revoked", call, ContradictoryChange, place)
        .await;
    let call = execute(
        bad,
        to_do(bad, change(&[], &[SUITE, &SUITE.to_uppercase()])),
    );
    let place = ("field", "change.revoke_product_ids[1]");
    bad.refused("revoked twice", call, ContradictoryChange, place)
        .await;
    let call = execute(bad, to_do(bad, assign(&[SUITE, NOTES, SUITE])));
    let place = ("field", "change.assign[2].product_id");
    bad.refused("assigned twice", call, ContradictoryChange, place)
        .await;
    let own = UserChange {
        user: user_id(0),
        change: Some(change(&[NOTES], &[NOTES])),
    };
    let call = execute(bad, with_own(bad, vec![own]));
    let place = ("field", "user_changes[0].change.revoke_product_ids[0]");
    bad.refused(
        "a contradiction for one user",
        call,
        ContradictoryChange,
        place,
    )
    .await;
}

async fn plans(bad: &mut BadInput<'_>) {
    let plans = "change.assign[0].plans";
    let call = execute(
        bad,
        to_do(bad, assign_plans(SUITE, PlanChoice { choice: None })),
    );
    bad.invalid("a choice of nothing", call, plans).await;
    let call = execute(bad, to_do(bad, assign_plans(SUITE, only(&[MAIL, "x"]))));
    bad.invalid(
        "a plan that is no id",
        call,
        &format!("{plans}.only.plan_ids[1]"),
    )
    .await;
    let twice = all_except(&[MAIL, CHAT, &MAIL.to_uppercase()]);
    let call = execute(bad, to_do(bad, assign_plans(SUITE, twice)));
    bad.invalid(
        "a plan twice",
        call,
        &format!("{plans}.all_except.plan_ids"),
    )
    .await;
    for unknown in [MAIL_BASIC, UNKNOWN_ID] {
        let call = execute(
            bad,
            to_do(bad, assign_plans(SUITE, all_except(&[MAIL, unknown]))),
        );
        let place = format!("{plans}.all_except.plan_ids[1]");
        bad.refused("a plan of others", call, UnknownPlan, ("field", &place))
            .await;
    }
}

async fn sizes(bad: &mut BadInput<'_>) {
    let many: Vec<_> = (0..101).map(|_| SUITE).collect();
    let call = execute(bad, to_do(bad, assign(&many)));
    let place = ("field", "change.assign");
    bad.refused("101 products", call, TooManyItems, place).await;
    let call = execute(bad, to_do(bad, change(&[], &many)));
    let place = ("field", "change.revoke_product_ids");
    bad.refused("101 products to revoke", call, TooManyItems, place)
        .await;
    let many: Vec<_> = (0..1_001).map(|_| MAIL).collect();
    let call = execute(bad, to_do(bad, assign_plans(SUITE, only(&many))));
    let place = ("field", "change.assign[0].plans.only.plan_ids");
    bad.refused("1,001 plans", call, TooManyItems, place).await;

    // The client would send these in several messages.
    let request = for_users(bad, user_ids(100_001));
    let call = async { Ok(raw::execute(bad.server, request).await?) };
    let place = ("given", "100001");
    let refused = call.await;
    bad.refused("100,001 users", async { refused }, TooManyItems, place)
        .await;
    let request = for_users(bad, vec!["x".repeat(17 * 1024 * 1024)]);
    let refused = raw::execute(bad.server, request).await;
    let error = Error::from(refused.expect_err("17 MiB are refused"));
    assert_eq!(error.code, Code::OutOfRange, "{error:?}");
    bad.unharmed("17 MiB").await;
}

async fn large(bad: &mut BadInput<'_>) {
    let parts = raw::parts(for_users(bad, vec![user_id(0), user_id(1), user_id(0)]), 1);
    let refused = raw::execute_large(bad.server, parts.clone()).await;
    let place = ("field", "users[2]");
    bad.refused(
        "a user in two messages",
        async { refused },
        DuplicateUser,
        place,
    )
    .await;
    let refused = raw::execute_large(bad.server, parts[1..].to_vec()).await;
    bad.invalid("no header", async { refused }, "customer_id")
        .await;
    let refused = raw::execute_large(bad.server, Vec::new()).await;
    bad.invalid("no message at all", async { refused }, "customer_id")
        .await;
    let refused = raw::execute_large(bad.server, parts[..1].to_vec()).await;
    bad.invalid("a header alone", async { refused }, "users")
        .await;
}

async fn request_ids(bad: &mut BadInput<'_>) {
    let used = bad.customer.batches().await.remove(0).request_id;
    let mut request = good(bad);
    request.request_id.clone_from(&used);
    let call = execute(bad, request);
    bad.refused(
        "a used request id",
        call,
        RequestIdReused,
        ("requestId", &used),
    )
    .await;
}

fn good(bad: &BadInput<'_>) -> ExecuteBatchRequest {
    bad.customer.request(assign(&[NOTES]), user_ids(3))
}

fn for_users(bad: &BadInput<'_>, users: Vec<String>) -> ExecuteBatchRequest {
    bad.customer.request(assign(&[NOTES]), users)
}

fn to_do(bad: &BadInput<'_>, change: Change) -> ExecuteBatchRequest {
    bad.customer.request(change, user_ids(3))
}

fn with_own(bad: &BadInput<'_>, user_changes: Vec<UserChange>) -> ExecuteBatchRequest {
    ExecuteBatchRequest {
        user_changes,
        ..bad.customer.own_changes([])
    }
}

fn execute(
    bad: &BadInput<'_>,
    request: ExecuteBatchRequest,
) -> impl Future<Output = Result<(), Error>> + use<> {
    let mut stream = bad.customer.client.batch(request);
    async move { stream.accepted().await.map(|_| ()) }
}
