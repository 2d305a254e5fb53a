use super::text::{self, plan_id, product_id};
use super::{World, check};
use crate::domain::{ChoiceId, Edit, Plan, PlanChoice, Terms, decide};

#[test]
fn a_new_holder_gets_all_plans_or_those_that_were_chosen() {
    check(
        "
        product A a1 a2 a3
        user ada NL
        user bob NL
        user cyd NL
        user dee NL
        user eve NL
        turn ada +A
        turn bob +A!
        turn cyd +A=a1,a3
        turn dee +A!a2
        turn eve +A=
        ",
        "
        ada applied: +A!
        bob applied: +A!
        cyd applied: +A=a1,a3
        dee applied: +A!a2
        eve applied: +A=
        ",
    );
}

#[test]
fn a_holder_keeps_its_choice_unless_another_is_made() {
    check(
        "
        product A a1 a2
        user ada NL A=a1
        user bob NL A=a1
        user cyd NL A=a1
        user dee NL A=a1
        turn ada +A
        turn bob +A=a1
        turn cyd +A!
        turn dee +A=a2
        ",
        "
        ada unchanged
        bob unchanged
        cyd applied: A!
        dee applied: A=a2
        ",
    );
}

#[test]
fn a_choice_is_kept_as_it_was_meant() {
    check(
        "
        product A a1 a2
        user ada NL A
        user bob NL A=a1,a2
        user cyd NL A!a2
        turn ada +A=a1,a2
        turn bob +A!
        turn cyd +A=a1
        ",
        "
        ada applied: A=a1,a2
        bob applied: A!
        cyd applied: A=a1
        ",
    );
}

#[test]
fn a_new_choice_of_all_leaves_retired_plans_out() {
    check(
        "
        product A a1 a2 ~r1 ~r2
        rule r1 excludes a1
        rule r2 prohibited NL
        user ada NL
        user bob NL
        user cyd NL
        user dee NL A=a1
        turn ada +A
        turn bob +A!
        turn cyd +A!a2,r1
        turn dee +A!
        ",
        "
        ada applied: +A!r1,r2
        bob applied: +A!r1,r2
        cyd applied: +A!a2,r1,r2
        dee applied: A!r1,r2
        ",
    );
}

#[test]
fn a_holder_keeps_retired_plans_that_are_on() {
    check(
        "
        product A a1 a2 ~r1 ~r2
        user ada NL A
        user bob NL A=a1,r1
        user cyd NL A!r2
        user dee NL A
        user eve NL A=a1,r1
        turn ada +A
        turn bob +A!
        turn cyd +A!
        turn dee +A!a2
        turn eve +A
        ",
        "
        ada unchanged
        bob applied: A!r2
        cyd unchanged
        dee applied: A!a2
        eve unchanged
        ",
    );
}

#[test]
fn a_retired_plan_can_be_turned_off_but_not_on_again() {
    check(
        "
        product A a1 ~r1
        user ada NL A
        user bob NL A!r1
        user cyd NL A
        user dee NL A
        turn ada +A!r1
        turn bob +A!
        turn cyd +A=a1
        turn dee -A
        ",
        "
        ada applied: A!r1
        bob unchanged
        cyd applied: A=a1
        dee applied: -A
        ",
    );
}

#[test]
fn only_who_has_a_retired_plan_may_name_it() {
    check(
        "
        product A a1 ~r1 ~r2
        user ada NL
        user bob NL A=r1
        user cyd NL A
        user dee NL A=a1
        turn ada +A=a1,r1
        turn bob +A=a1,r1,r2
        turn cyd +A=r1,r2
        turn dee +A=r1,r2
        ",
        "
        ada failed: PLAN_NOT_IN_PRODUCT A r1
        bob failed: PLAN_NOT_IN_PRODUCT A r2
        cyd applied: A=r1,r2
        dee failed: PLAN_NOT_IN_PRODUCT A r1; PLAN_NOT_IN_PRODUCT A r2
        ",
    );
}

#[test]
fn a_plan_is_retired_from_one_product_and_lives_on_in_another() {
    check(
        "
        product A x ~y
        product B ~x y
        user ada NL
        user bob NL A=x,y
        turn ada +A +B
        turn bob +B=x,y
        ",
        "
        ada applied: +A!y +B!x
        bob failed: PLAN_NOT_IN_PRODUCT B x
        ",
    );
}

#[test]
fn a_retired_plan_is_ruled_for_who_has_it() {
    check(
        "
        product A a1 ~r1
        product B b1
        product C c1
        rule b1 excludes r1
        rule c1 requires r1
        user ada NL A
        user bob NL A!r1
        user cyd NL A
        user dee NL A!r1
        turn ada +B
        turn bob +B
        turn cyd +C
        turn dee +C
        ",
        "
        ada failed: MUTUALLY_EXCLUSIVE_PLANS b1 r1
        bob applied: +B!
        cyd applied: +C!
        dee failed: PREREQUISITE_MISSING c1 r1
        ",
    );
}

#[test]
fn a_choice_turns_on_no_plan_that_its_product_does_not_have() {
    check(
        "
        product A a1
        product B b1
        product C c1
        rule c1 requires b1
        user ada NL A=a1,b1
        user bob NL A=a1 B=b1
        turn ada +C
        turn bob +C
        ",
        "
        ada failed: PREREQUISITE_MISSING c1 b1
        bob applied: +C!
        ",
    );
}

fn plan_of(text: &str) -> (World, Plan) {
    let world = text::parse(text);
    let plan = decide(
        &world.catalogue(),
        &world.snapshot(),
        &world.order,
        Terms::BestEffort,
    );
    (world, plan)
}

fn edits(plan: &Plan) -> Vec<(Option<i32>, Option<i32>)> {
    let number = |choice: Option<ChoiceId>| choice.map(|id| id.0);
    let edits = plan.outcomes.iter().flat_map(|outcome| &outcome.edits);
    edits
        .map(|edit| (number(edit.before), number(edit.after)))
        .collect()
}

#[test]
fn new_choices_are_numbered_downwards_and_interned_once() {
    let (_, plan) = plan_of(
        "
        product A a1 a2
        product B b1
        user ada NL
        user bob NL
        user cyd NL B
        turn ada +A=a2 +B=b1
        turn bob +A!a1 +B=b1
        turn cyd +A=a2 +B
        ",
    );
    let only = |plan| PlanChoice::Only(vec![plan_id(plan)]);
    let all_but_a1 = PlanChoice::AllExcept(vec![plan_id("a1")]);
    assert_eq!(plan.new_choices, [only("a2"), only("b1"), all_but_a1]);
    let new = |number| (None, Some(number));
    assert_eq!(edits(&plan), [new(-1), new(-2), new(-3), new(-2), new(-1)]);
}

#[test]
fn known_choices_keep_their_numbers() {
    let (world, plan) = plan_of(
        "
        product A a1 a2
        user ada NL A=a1
        user bob NL
        user cyd NL A!a2
        turn ada +A!
        turn bob +A=a1
        turn cyd -A
        ",
    );
    let only_a1 = PlanChoice::Only(vec![plan_id("a1")]);
    let known = world
        .snapshot()
        .choices
        .id(&only_a1)
        .expect("what ada holds")
        .0;
    assert_eq!(plan.new_choices, []);
    assert_eq!(
        edits(&plan)[..2],
        [(Some(known), Some(0)), (None, Some(known))]
    );
}

#[test]
fn an_edit_says_what_was_before_and_what_is_after() {
    let (world, plan) = plan_of(
        "
        product A a1
        product B b1
        product C c1
        user ada NL B C=c1
        turn ada +A -B +C!c1
        ",
    );
    let only_c1 = PlanChoice::Only(vec![plan_id("c1")]);
    let known = world.snapshot().choices.id(&only_c1);
    let edit = |name, before, after| Edit {
        product: product_id(name),
        before,
        after,
    };
    assert_eq!(
        plan.outcomes[0].edits,
        [
            edit("A", None, Some(ChoiceId::ALL)),
            edit("C", known, Some(ChoiceId(-1))),
            edit("B", Some(ChoiceId::ALL), None),
        ]
    );
    assert_eq!(
        plan.seat_deltas,
        [(product_id("A"), 1), (product_id("B"), -1)].into()
    );
}
