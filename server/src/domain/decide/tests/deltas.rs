use super::check;

#[test]
fn what_is_not_named_stays_as_it_is_for_each_user() {
    check(
        "
        product A a1 a2 a3
        user ada NL A
        user bob NL A!a3
        user cyd NL A=a3
        user dee NL A=
        turn ada +A:+a1,-a2
        turn bob +A:+a1,-a2
        turn cyd +A:+a1,-a2
        turn dee +A:+a1,-a2
        ",
        "
        ada applied: A!a2
        bob applied: A!a2,a3
        cyd applied: A=a1,a3
        dee applied: A=a1
        ",
    );
}

#[test]
fn a_plan_is_turned_on_in_the_form_of_the_choice() {
    check(
        "
        product A a1 a2
        user ada NL A!a1
        user bob NL A=a2
        user cyd NL A!a1,a2
        turn ada +A:+a1
        turn bob +A:+a1
        turn cyd +A:+a1
        ",
        "
        ada applied: A!
        bob applied: A=a1,a2
        cyd applied: A!a2
        ",
    );
}

#[test]
fn what_is_on_or_off_already_is_no_change() {
    check(
        "
        product A a1 a2 a3
        seats A 0
        user ada -- inactive A!a2
        user bob -- inactive A=a1
        turn ada +A:+a1,-a2
        turn bob +A:+a1,-a2
        ",
        "
        ada unchanged
        bob unchanged
        ",
    );
}

#[test]
fn a_new_holder_has_every_other_plan_on() {
    check(
        "
        product A a1 a2 a3
        user ada NL
        user bob NL
        turn ada +A:-a2
        turn bob +A:+a1
        ",
        "
        ada applied: +A!a2
        bob applied: +A!
        ",
    );
}

#[test]
fn a_retired_plan_stays_on_and_can_be_turned_off_but_not_on() {
    check(
        "
        product A a1 a2 ~r1
        user ada NL A
        user bob NL A
        user cyd NL A
        user dee NL A!r1
        user eve NL A=a1
        user fay NL A!r1
        turn ada +A:-a1
        turn bob +A:-r1
        turn cyd +A:+r1
        turn dee +A:+r1
        turn eve +A:+r1
        turn fay +A:-a1
        ",
        "
        ada applied: A!a1
        bob applied: A!r1
        cyd unchanged
        dee failed: PLAN_NOT_IN_PRODUCT A r1
        eve failed: PLAN_NOT_IN_PRODUCT A r1
        fay applied: A!a1,r1
        ",
    );
}

#[test]
fn a_new_holder_gets_no_retired_plan() {
    check(
        "
        product A a1 ~r1
        user ada NL
        user bob NL
        user cyd NL
        turn ada +A:+a1
        turn bob +A:-a1,-r1
        turn cyd +A:+r1
        ",
        "
        ada applied: +A!r1
        bob applied: +A!a1,r1
        cyd failed: PLAN_NOT_IN_PRODUCT A r1
        ",
    );
}

#[test]
fn rules_judge_the_plans_that_a_delta_leaves_on() {
    check(
        "
        product A a1 a2 a3
        rule a1 requires a2
        rule a1 excludes a3
        user ada NL A!a3
        user bob NL A=a1,a2
        user cyd NL A=
        user dee NL A=a2
        turn ada +A:-a2
        turn bob +A:+a3
        turn cyd +A:+a1
        turn dee +A:+a1
        ",
        "
        ada failed: DEPENDENT_PLAN_REMAINS a1 a2
        bob failed: MUTUALLY_EXCLUSIVE_PLANS a1 a3
        cyd failed: PREREQUISITE_MISSING a1 a2
        dee applied: A=a1,a2
        ",
    );
}

#[test]
fn an_inactive_user_can_only_lose_plans_by_a_delta() {
    check(
        "
        product A a1 a2
        user ada -- inactive A
        user bob -- inactive A=a2
        turn ada +A:-a1
        turn bob +A:+a1,-a2
        ",
        "
        ada applied: A!a1
        bob failed: USER_INACTIVE
        ",
    );
}
