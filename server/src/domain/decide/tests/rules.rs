use super::check;

#[test]
fn plans_that_exclude_each_other_are_not_on_together() {
    check(
        "
        product A a1 a2
        product B b1
        rule a1 excludes b1
        user ada NL A
        user bob NL B
        user cyd NL
        user dee NL A
        turn ada +B
        turn bob +A
        turn cyd +A +B
        turn dee +A=a2 +B
        ",
        "
        ada failed: MUTUALLY_EXCLUSIVE_PLANS a1 b1
        bob failed: MUTUALLY_EXCLUSIVE_PLANS a1 b1
        cyd failed: MUTUALLY_EXCLUSIVE_PLANS a1 b1
        dee applied: A=a2 +B!
        ",
    );
}

#[test]
fn two_products_that_exclude_each_other_are_swapped_in_one_step() {
    check(
        "
        product A a1
        product B b1
        rule a1 excludes b1
        user ada NL A
        user bob NL B
        turn ada +B -A
        turn bob +A -B
        ",
        "
        ada applied: -A +B!
        bob applied: -B +A!
        ",
    );
}

#[test]
fn plans_of_one_product_can_exclude_each_other() {
    check(
        "
        product A a1 a2 a3
        rule a1 excludes a2
        user ada NL
        user bob NL
        user cyd NL A=a1
        user dee NL A=a1
        turn ada +A
        turn bob +A!a2
        turn cyd +A=a1,a2
        turn dee +A=a2
        ",
        "
        ada failed: MUTUALLY_EXCLUSIVE_PLANS a1 a2
        bob applied: +A!a2
        cyd failed: MUTUALLY_EXCLUSIVE_PLANS a1 a2
        dee applied: A=a2
        ",
    );
}

#[test]
fn everything_that_a_plan_excludes_is_said_with_it() {
    check(
        "
        product A a1 a2
        product B b1 b2
        product C c1
        rule a1 excludes b1
        rule a1 excludes b2
        rule a1 excludes c1
        rule a2 excludes b2
        user ada NL B
        user bob NL C
        turn ada +A
        turn bob +A
        ",
        "
        ada failed: MUTUALLY_EXCLUSIVE_PLANS a1 b1 b2; MUTUALLY_EXCLUSIVE_PLANS a2 b2
        bob failed: MUTUALLY_EXCLUSIVE_PLANS a1 c1
        ",
    );
}

#[test]
fn an_exclusion_that_was_broken_before_is_not_counted() {
    check(
        "
        product A a1 a2
        product B b1 b2
        product C c1
        rule a1 excludes b1
        rule a2 excludes b2
        rule a1 excludes c1
        user ada NL A=a1 B=b1
        user bob NL A=a1 B=b1
        user cyd NL A=a1 B=b1
        turn ada +B=b1,b2
        turn bob +A! +B!
        turn cyd +C
        ",
        "
        ada applied: B=b1,b2
        bob failed: MUTUALLY_EXCLUSIVE_PLANS a2 b2
        cyd failed: MUTUALLY_EXCLUSIVE_PLANS a1 c1
        ",
    );
}

#[test]
fn a_plan_comes_with_one_of_those_it_needs() {
    check(
        "
        product A a1 a2
        product B b1
        product C c1
        rule a1 requires b1 c1
        user ada NL
        user bob NL B
        user cyd NL C
        user dee NL
        user eve NL
        turn ada +A
        turn bob +A
        turn cyd +A
        turn dee +A +C
        turn eve +A=a2
        ",
        "
        ada failed: PREREQUISITE_MISSING a1 b1|c1
        bob applied: +A!
        cyd applied: +A!
        dee applied: +A! +C!
        eve applied: +A=a2
        ",
    );
}

#[test]
fn a_plan_can_find_what_it_needs_in_its_own_product() {
    check(
        "
        product A a1 a2
        rule a2 requires a1
        user ada NL
        user bob NL
        user cyd NL A
        user dee NL A=a1
        turn ada +A
        turn bob +A=a2
        turn cyd +A=a2
        turn dee +A=a2
        ",
        "
        ada applied: +A!
        bob failed: PREREQUISITE_MISSING a2 a1
        cyd failed: DEPENDENT_PLAN_REMAINS a2 a1
        dee failed: PREREQUISITE_MISSING a2 a1
        ",
    );
}

#[test]
fn a_plan_that_stays_on_keeps_one_of_those_it_needs() {
    check(
        "
        product A a1
        product B b1 b2
        product C c1
        rule a1 requires b1 c1
        user ada NL A B
        user bob NL A B C
        user cyd NL A B
        user dee NL A B
        user eve NL A B
        user fay NL A B C
        turn ada -B
        turn bob -B
        turn cyd -B +C
        turn dee -B -A
        turn eve +B=b2
        turn fay -B -C
        ",
        "
        ada failed: DEPENDENT_PLAN_REMAINS a1 b1|c1
        bob applied: -B
        cyd applied: -B +C!
        dee applied: -A -B
        eve failed: DEPENDENT_PLAN_REMAINS a1 b1|c1
        fay failed: DEPENDENT_PLAN_REMAINS a1 b1|c1
        ",
    );
}

#[test]
fn a_need_that_was_not_met_before_is_not_counted() {
    check(
        "
        product A a1 a2
        product B b1
        product C c1
        rule a1 requires b1
        rule a2 requires b1
        user ada NL A=a1
        user bob NL A=a1
        user cyd NL A=a1 C
        turn ada +C
        turn bob +A!
        turn cyd -C
        ",
        "
        ada applied: +C!
        bob failed: PREREQUISITE_MISSING a2 b1
        cyd applied: -C
        ",
    );
}

#[test]
fn every_rule_of_a_plan_is_asked() {
    check(
        "
        product A a1
        product B b1
        rule a1 requires b1
        rule a1 requires c1 d1
        rule a1 requires e1
        user ada NL B
        user bob NL
        turn ada +A
        turn bob +A +B
        ",
        "
        ada failed: PREREQUISITE_MISSING a1 c1|d1; PREREQUISITE_MISSING a1 e1
        bob failed: PREREQUISITE_MISSING a1 c1|d1; PREREQUISITE_MISSING a1 e1
        ",
    );
}

#[test]
fn a_plan_in_two_products_is_on_while_one_of_them_has_it_on() {
    check(
        "
        product A x a1
        product B x b1
        product C c1
        rule x requires c1
        rule a1 excludes x
        rule b1 requires x
        rule x prohibited NL
        user ada NL A=x B
        user bob NL A=x B
        user cyd NL A=x B=b1
        turn ada -A
        turn bob +B=b1
        turn cyd -A
        ",
        "
        ada applied: -A
        bob applied: B=b1
        cyd failed: DEPENDENT_PLAN_REMAINS b1 x
        ",
    );
}

#[test]
fn a_plan_that_moves_from_one_product_to_another_was_on_before() {
    check(
        "
        product A x
        product B x
        rule x prohibited NL
        rule x requires y
        user ada NL A
        user bob NL
        turn ada +B -A
        turn bob +B
        ",
        "
        ada applied: -A +B!
        bob failed: PREREQUISITE_MISSING x y; USAGE_LOCATION_PROHIBITED x NL
        ",
    );
}

#[test]
fn a_plan_that_moves_while_its_need_goes_is_a_dependent() {
    check(
        "
        product A x
        product B x
        product C y
        rule x requires y
        user ada NL A C
        turn ada +B -A -C
        ",
        "ada failed: DEPENDENT_PLAN_REMAINS x y",
    );
}

#[test]
fn rules_may_name_plans_that_no_product_has() {
    check(
        "
        product A a1
        product B b1
        rule a1 excludes z1
        rule b1 requires z1 z2
        rule z1 requires z2
        rule y1 excludes z1
        rule z1 prohibited NL
        user ada NL
        user bob NL
        turn ada +A
        turn bob +A +B
        ",
        "
        ada applied: +A!
        bob failed: PREREQUISITE_MISSING b1 z1|z2
        ",
    );
}

#[test]
fn a_revoke_breaks_a_dependent_also_for_an_inactive_user() {
    check(
        "
        product A a1
        product B b1
        rule a1 requires b1
        user ada -- inactive A B
        user bob -- inactive A B
        turn ada -B
        turn bob -A
        ",
        "
        ada failed: DEPENDENT_PLAN_REMAINS a1 b1
        bob applied: -A
        ",
    );
}

#[test]
fn plans_are_told_apart_however_many_there_are() {
    // Of the numbers of these plans the last are far beyond 64.
    let plans: Vec<_> = (0..200).map(|number| format!("p{number:03}")).collect();
    let (last, others) = plans.split_last().expect("plans");
    let others = others.join(" ");
    check(
        &format!(
            "
            product A {others}
            product B {last}
            product C c1
            rule p010 excludes {last}
            rule {last} requires p074
            rule {last} prohibited US
            rule c1 requires {last}
            user ada NL A
            user bob NL
            user cyd NL
            user dee US A=p074
            user eve NL B C
            turn ada +B
            turn bob +B +A=p074
            turn cyd +B +A=p138
            turn dee +B
            turn eve -B
            "
        ),
        &format!(
            "
            ada failed: MUTUALLY_EXCLUSIVE_PLANS p010 {last}
            bob applied: +A=p074 +B!
            cyd failed: PREREQUISITE_MISSING {last} p074
            dee failed: USAGE_LOCATION_PROHIBITED {last} US
            eve failed: DEPENDENT_PLAN_REMAINS c1 {last}
            "
        ),
    );
}
