//! Bad changes and options: replacements, deltas, what is kept, selections, and plan tokens. Each is
//! refused by the run and by the preview alike.

use seatwise_client::transport::v1::ErrorReason::{
    ContradictoryChange, TooManyItems, UnknownPlan, UnknownProduct,
};
use seatwise_client::v1::{
    BatchOptions, Change, ExecuteBatchRequest, PlanEdit, ProductAssignment, ProductReplacement,
    RevokeOthers, UserChange, batch_options::Mode,
};

use super::BadInput;
use crate::customer::read;
use crate::fixtures::plan::{CHAT, MAIL, MAIL_BASIC};
use crate::fixtures::product::{NOTES, SUITE, VIDEO, VOICE};
use crate::fixtures::{UNKNOWN_ID, assign, change, delta, replace, strings, user_id, user_ids};
use crate::selections::{everybody, select};

pub(super) async fn refused(bad: &mut BadInput<'_>) {
    replacements(bad).await;
    contradictions(bad).await;
    deltas(bad).await;
    kept(bad).await;
    options(bad).await;
    users(bad).await;
}

/// A reason with the place that its metadata names, or `INVALID_FIELD` about the place.
type Expected<'a> = (Option<seatwise_client::transport::v1::ErrorReason>, &'a str);

async fn expect(
    bad: &mut BadInput<'_>,
    what: &str,
    request: ExecuteBatchRequest,
    (reason, place): Expected<'_>,
) {
    let client = bad.customer.client.clone();
    for stream in [client.preview(request.clone()), client.batch(request)] {
        match reason {
            Some(reason) => {
                bad.refused(what, read(stream), reason, ("field", place))
                    .await;
            }
            None => bad.invalid(what, read(stream), place).await,
        }
    }
}

fn assign_edit(plans: PlanEdit) -> Change {
    Change {
        assign: vec![ProductAssignment {
            product_id: SUITE.to_owned(),
            plans: Some(plans),
        }],
        ..Change::default()
    }
}

fn revoke_others(keep: &[&str], change: Change) -> Change {
    Change {
        revoke_others: Some(RevokeOthers {
            keep_product_ids: strings(keep),
        }),
        ..change
    }
}

fn to_do(bad: &BadInput<'_>, change: Change) -> ExecuteBatchRequest {
    bad.customer.request(change, user_ids(3))
}

async fn replacements(bad: &mut BadInput<'_>) {
    let product = "change.replace[0].product_id";
    let by = "change.replace[0].by_product_id";
    let foreign = delta(&[MAIL_BASIC], &[]);
    let many = Change {
        replace: vec![ProductReplacement::default(); 101],
        ..Change::default()
    };
    for (what, change, expected) in [
        ("no product", replace("", NOTES, None), (None, product)),
        ("nothing for it", replace(VIDEO, "x", None), (None, by)),
        (
            "an unknown product",
            replace(UNKNOWN_ID, NOTES, None),
            (Some(UnknownProduct), product),
        ),
        (
            "an unknown product for it",
            replace(VIDEO, UNKNOWN_ID, None),
            (Some(UnknownProduct), by),
        ),
        (
            "a plan of others",
            replace(VIDEO, SUITE, Some(foreign)),
            (
                Some(UnknownPlan),
                "change.replace[0].plans.delta.enable_plan_ids[0]",
            ),
        ),
        (
            "plans without a word",
            replace(VIDEO, SUITE, Some(PlanEdit { edit: None })),
            (None, "change.replace[0].plans"),
        ),
        (
            "101 replacements",
            many,
            (Some(TooManyItems), "change.replace"),
        ),
    ] {
        let request = to_do(bad, change);
        expect(bad, what, request, expected).await;
    }
}

/// No product may be named twice.
async fn contradictions(bad: &mut BadInput<'_>) {
    let both = |one: Change, other: Change| Change {
        replace: [one.replace, other.replace].concat(),
        ..Change::default()
    };
    let twice = both(replace(VIDEO, NOTES, None), replace(VIDEO, SUITE, None));
    let chain = both(replace(VIDEO, NOTES, None), replace(NOTES, SUITE, None));
    let with = |own: Change, change: Change| Change {
        replace: own.replace,
        ..change
    };
    for (what, change, place) in [
        (
            "a product by itself",
            replace(VIDEO, VIDEO, None),
            "change.replace[0].by_product_id",
        ),
        ("replaced twice", twice, "change.replace[1].product_id"),
        ("replaced in a chain", chain, "change.replace[1].product_id"),
        (
            "assigned and replaced",
            with(replace(VIDEO, NOTES, None), assign(&[VIDEO])),
            "change.replace[0].product_id",
        ),
        (
            "revoked and given for another",
            with(replace(VIDEO, NOTES, None), change(&[], &[NOTES])),
            "change.replace[0].by_product_id",
        ),
    ] {
        let request = to_do(bad, change);
        expect(bad, what, request, (Some(ContradictoryChange), place)).await;
    }
}

async fn deltas(bad: &mut BadInput<'_>) {
    let plans = "change.assign[0].plans";
    let many = vec![MAIL; 1_001];
    for (what, edit, reason, place) in [
        ("an empty delta", delta(&[], &[]), None, "delta"),
        (
            "a plan on and off",
            delta(&[MAIL, CHAT], &[&CHAT.to_uppercase()]),
            None,
            "delta.disable_plan_ids",
        ),
        (
            "a plan on twice",
            delta(&[MAIL, MAIL], &[]),
            None,
            "delta.enable_plan_ids",
        ),
        (
            "a plan off that is no id",
            delta(&[], &[MAIL, "x"]),
            None,
            "delta.disable_plan_ids[1]",
        ),
        (
            "a plan of others off",
            delta(&[], &[MAIL_BASIC]),
            Some(UnknownPlan),
            "delta.disable_plan_ids[0]",
        ),
        (
            "an unknown plan on",
            delta(&[MAIL, UNKNOWN_ID], &[]),
            Some(UnknownPlan),
            "delta.enable_plan_ids[1]",
        ),
        (
            "1,001 plans off",
            delta(&[], &many),
            Some(TooManyItems),
            "delta.disable_plan_ids",
        ),
    ] {
        let request = to_do(bad, assign_edit(edit));
        expect(bad, what, request, (reason, &format!("{plans}.{place}"))).await;
    }
}

async fn kept(bad: &mut BadInput<'_>) {
    let field = "change.revoke_others.keep_product_ids";
    let place = |index: usize| format!("{field}[{index}]");
    for (what, change, reason, place) in [
        (
            "kept that is no id",
            revoke_others(&[VIDEO, "x"], Change::default()),
            None,
            place(1),
        ),
        (
            "an unknown product to keep",
            revoke_others(&[UNKNOWN_ID], Change::default()),
            Some(UnknownProduct),
            place(0),
        ),
        (
            "kept and revoked",
            revoke_others(&[VIDEO], change(&[], &[VIDEO])),
            Some(ContradictoryChange),
            place(0),
        ),
        (
            "kept twice",
            revoke_others(&[VOICE, VIDEO, VOICE], Change::default()),
            Some(ContradictoryChange),
            place(2),
        ),
        (
            "1,001 products to keep",
            revoke_others(&[VIDEO; 1_001], Change::default()),
            Some(TooManyItems),
            field.to_owned(),
        ),
    ] {
        let request = to_do(bad, change);
        expect(bad, what, request, (reason, &place)).await;
    }
}

async fn options(bad: &mut BadInput<'_>) {
    let with = |options| ExecuteBatchRequest {
        options: Some(options),
        ..to_do(bad, assign(&[NOTES]))
    };
    let atomic_with_stop = BatchOptions {
        mode: Mode::Atomic.into(),
        stop_after_failures: 1,
        ..BatchOptions::default()
    };
    let stop_after = |stop_after_failures| BatchOptions {
        stop_after_failures,
        ..BatchOptions::default()
    };
    let mode = |mode| BatchOptions {
        mode,
        ..BatchOptions::default()
    };
    let capacity = BatchOptions {
        capacity: 9,
        ..BatchOptions::default()
    };
    let stop = "options.stop_after_failures";
    for (what, request, place) in [
        ("a negative stop", with(stop_after(-1)), stop),
        ("the least stop", with(stop_after(i32::MIN)), stop),
        ("atomic with a stop", with(atomic_with_stop), stop),
        ("an unknown mode", with(mode(3)), "options.mode"),
        ("a mode below zero", with(mode(-1)), "options.mode"),
        ("an unknown capacity", with(capacity), "options.capacity"),
    ] {
        expect(bad, what, request, (None, place)).await;
    }
    let token = ExecuteBatchRequest {
        plan_token: "no token".to_owned(),
        ..to_do(bad, assign(&[NOTES]))
    };
    expect(
        bad,
        "a plan token that is none",
        token,
        (None, "plan_token"),
    )
    .await;
}

async fn users(bad: &mut BadInput<'_>) {
    let all = || Some(select(vec![everybody()], vec![]));
    let own = UserChange {
        user: user_id(0),
        change: Some(assign(&[NOTES])),
    };
    let empty = bad.customer.request(assign(&[NOTES]), Vec::new());
    let with_users = ExecuteBatchRequest {
        selection: all(),
        users: user_ids(1),
        ..empty.clone()
    };
    let with_own = ExecuteBatchRequest {
        selection: all(),
        change: None,
        user_changes: vec![own],
        ..empty.clone()
    };
    let without_change = ExecuteBatchRequest {
        selection: all(),
        change: None,
        ..empty.clone()
    };
    let of_nothing = ExecuteBatchRequest {
        selection: Some(select(vec![], vec![])),
        ..empty
    };
    for (what, request, place) in [
        ("a selection and users", with_users, "selection"),
        ("a selection and user_changes", with_own, "user_changes"),
        ("a selection without a change", without_change, "change"),
        ("an empty selection", of_nothing, "selection.parts"),
    ] {
        expect(bad, what, request, (None, place)).await;
    }
}
