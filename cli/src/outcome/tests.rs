//! What became of a batch, in words.

use seatwise_client::v1::{
    BatchResult, HeldProduct, PlanChoice, PlanSet, Product, ProductPlan, plan_choice::Choice,
};

use super::*;

fn failed(index: i32, codes: &[ReasonCode]) -> UserResult {
    let reason = |code: &ReasonCode| Reason {
        code: (*code).into(),
        ..Reason::default()
    };
    let result = BatchResult {
        index: Some(index),
        principal_name: format!("user{index}@example.com"),
        disposition: Disposition::Failed.into(),
        reasons: codes.iter().map(reason).collect(),
        ..BatchResult::default()
    };
    UserResult {
        result,
        reason_texts: vec!["Because.".to_owned(); codes.len()],
        locale: "en".to_owned(),
    }
}

#[test]
fn failures_are_grouped_by_reason_and_long_groups_are_cut() {
    let mut report = Report::new(Format::Table, false);
    let both = [ReasonCode::UserInactive, ReasonCode::SeatsExhausted];
    report.add(&failed(0, &both)).unwrap();
    for index in 1..25 {
        let mut failed = failed(index, &both[1..]);
        failed.result.reasons[0].available = Some(-index);
        report.add(&failed).unwrap();
    }
    let text = report.words(&BatchSummary::default(), &Names::default());
    let seats = text.find("SEATS_EXHAUSTED: Because. (25 users)");
    let inactive = text.find("USER_INACTIVE");
    assert!(seats.unwrap() < inactive.unwrap(), "{text}");
    assert_eq!(text.matches("user0@example.com").count(), 2, "{text}");
    assert!(text.contains("and 5 more"), "{text}");
}

#[test]
fn changes_are_grouped_by_what_was_done_with_names_and_many_kinds_are_cut() {
    let applied = |index: i32, assigned: &str| {
        let mut result = failed(index, &[]);
        result.result.disposition = Disposition::Applied.into();
        result.result.assigned_product_ids = vec![assigned.to_owned()];
        result.result.revoked_product_ids = vec!["b".to_owned()];
        result
    };
    let mut report = Report::new(Format::Table, false);
    for index in 0..2 {
        report.add(&applied(index, "a")).unwrap();
    }
    for index in 0..22 {
        report
            .add(&applied(index, &format!("other{index:02}")))
            .unwrap();
    }
    let suite = Product {
        product_id: "a".to_owned(),
        display_name: "Suite".to_owned(),
        ..Product::default()
    };
    let names = Names::of_products(&[suite]);
    let text = report.words(&BatchSummary::default(), &names);
    assert!(
        text.contains("\nassign Suite; revoke b (2 users)\n  user0@"),
        "{text}"
    );
    assert!(text.contains("and 3 other changes"), "{text}");
    let batch_id = "1".to_owned();
    let batch = Some(Batch {
        batch_id,
        ..Batch::default()
    });
    let done = BatchSummary {
        batch,
        ..BatchSummary::default()
    };
    let text = report.words(&done, &names);
    assert!(
        text.contains("\nassigned Suite; revoked b (2 users)"),
        "{text}"
    );
}

#[test]
fn changes_name_the_plans_that_are_left_out_or_alone_on() {
    let plan = |name: &str| ProductPlan {
        plan_id: name.to_lowercase(),
        name: name.to_owned(),
        ..ProductPlan::default()
    };
    let suite = Product {
        product_id: "s".to_owned(),
        display_name: "Suite".to_owned(),
        plans: ["MAIL", "CHAT"].map(plan).to_vec(),
        ..Product::default()
    };
    let names = Names::of_products(&[suite]);
    let words = |choice: Option<Choice>, is_new: bool| {
        let mut result = failed(0, &[]);
        let held = HeldProduct {
            product_id: "s".to_owned(),
            plans: choice.map(|choice| PlanChoice {
                choice: Some(choice),
            }),
        };
        result.result.held = vec![held];
        let list = match is_new {
            true => &mut result.result.assigned_product_ids,
            false => &mut result.result.changed_product_ids,
        };
        list.push("s".to_owned());
        Change::of(&result).words(true, &names)
    };
    let set = |ids: &[&str]| PlanSet {
        plan_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    for (choice, is_new, expected) in [
        (None, true, "assign Suite"),
        (Some(Choice::AllExcept(set(&[]))), true, "assign Suite"),
        (
            Some(Choice::AllExcept(set(&["mail"]))),
            true,
            "assign Suite (without MAIL)",
        ),
        (
            Some(Choice::Only(set(&["chat"]))),
            true,
            "assign Suite (only CHAT)",
        ),
        // All that there are now.
        (
            Some(Choice::Only(set(&["chat", "mail"]))),
            true,
            "assign Suite",
        ),
        (
            Some(Choice::AllExcept(set(&[]))),
            false,
            "change the plans of Suite (all plans)",
        ),
    ] {
        assert_eq!(words(choice, is_new), expected);
    }
}

#[test]
fn a_reason_of_a_newer_server_is_shown_by_number_with_its_text() {
    let mut newer = failed(0, &[ReasonCode::UserInactive]);
    newer.result.reasons[0].code = 99;
    assert_eq!(reasons(&newer), ["REASON_CODE 99: Because."]);
}
