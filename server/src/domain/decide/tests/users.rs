use super::check;

#[test]
fn a_user_who_was_not_found_or_has_vanished_is_refused() {
    check(
        "
        product A a1
        user ada NL
        turn ?zed +A
        turn gone +A -B
        turn ada +A
        ",
        "
        ?zed failed: USER_NOT_FOUND
        gone failed: USER_NOT_FOUND
        ada applied: +A!
        ",
    );
}

#[test]
fn an_inactive_user_gets_no_product() {
    check(
        "
        product A a1
        product B b1
        user ada NL inactive B
        user bob NL inactive
        user cyd NL B
        turn ada +A -B
        turn bob +A
        turn cyd +A -B
        ",
        "
        ada failed: USER_INACTIVE
        bob failed: USER_INACTIVE
        cyd applied: -B +A!
        ",
    );
}

#[test]
fn even_a_product_without_plans_is_something_new_for_an_inactive_user() {
    check(
        "
        product A
        user ada NL inactive
        turn ada +A
        ",
        "ada failed: USER_INACTIVE",
    );
}

#[test]
fn an_inactive_user_gets_no_plan_but_can_lose_some() {
    check(
        "
        product A a1 a2
        user ada NL inactive A=a1
        user bob NL inactive A
        user cyd NL inactive A=a1
        turn ada +A!
        turn bob +A=a1
        turn cyd +A=a2
        ",
        "
        ada failed: USER_INACTIVE
        bob applied: A=a1
        cyd failed: USER_INACTIVE
        ",
    );
}

#[test]
fn an_inactive_user_may_get_the_same_plans_by_another_choice_or_product() {
    check(
        "
        product A a1 x
        product B x
        user ada NL inactive A
        user bob NL inactive A=a1 B
        turn ada +A=a1,x
        turn bob +A!
        ",
        "
        ada applied: A=a1,x
        bob applied: A!
        ",
    );
}

#[test]
fn an_inactive_user_without_location_can_lose_everything() {
    check(
        "
        product A a1
        product B b1
        user ada -- inactive A B
        turn ada -A -B
        ",
        "ada applied: -A -B",
    );
}

#[test]
fn what_is_so_already_is_no_addition_to_an_inactive_user() {
    check(
        "
        product A a1
        product B b1
        user ada -- inactive A
        turn ada +A -B
        ",
        "ada unchanged",
    );
}

#[test]
fn a_new_product_needs_a_location() {
    check(
        "
        product A a1
        product B b1
        user ada -- B
        user bob -- B
        user cyd NL
        turn ada +A
        turn bob +A -B
        turn cyd +A
        ",
        "
        ada failed: USAGE_LOCATION_MISSING
        bob failed: USAGE_LOCATION_MISSING
        cyd applied: +A!
        ",
    );
}

#[test]
fn a_missing_location_is_said_once_for_several_products() {
    check(
        "
        product A a1
        product B b1
        user ada --
        turn ada +A +B
        ",
        "ada failed: USAGE_LOCATION_MISSING",
    );
}

#[test]
fn new_plans_of_a_product_that_is_held_need_no_location() {
    check(
        "
        product A a1 a2
        user ada -- A=a1
        turn ada +A!
        ",
        "ada applied: A!",
    );
}

#[test]
fn a_plan_is_prohibited_in_its_country_only() {
    check(
        "
        product A a1 a2
        rule a1 prohibited NL
        rule a1 prohibited BE
        rule a2 prohibited US
        user ada NL
        user bob DE
        user cyd US
        user dee NL
        turn ada +A
        turn bob +A
        turn cyd +A
        turn dee +A!a1
        ",
        "
        ada failed: USAGE_LOCATION_PROHIBITED a1 NL
        bob applied: +A!
        cyd failed: USAGE_LOCATION_PROHIBITED a2 US
        dee applied: +A!a1
        ",
    );
}

#[test]
fn a_prohibited_plan_that_was_on_before_is_not_counted() {
    check(
        "
        product A a1 a2
        product B b1
        rule a1 prohibited NL
        user ada NL A
        user bob NL A=a2
        user cyd NL A
        turn ada +B
        turn bob +A!
        turn cyd +A=a1
        ",
        "
        ada applied: +B!
        bob failed: USAGE_LOCATION_PROHIBITED a1 NL
        cyd applied: A=a1
        ",
    );
}

#[test]
fn nothing_is_prohibited_where_the_location_is_unknown() {
    check(
        "
        product A a1 a2
        rule a2 prohibited NL
        user ada -- A=a1
        turn ada +A!
        ",
        "ada applied: A!",
    );
}

#[test]
fn what_is_held_and_what_is_not_held_stays_so() {
    check(
        "
        product A a1
        product B b1
        user ada NL A
        user bob NL A
        user cyd NL
        turn ada +A -B
        turn bob
        turn cyd -A -B
        ",
        "
        ada unchanged
        bob unchanged
        cyd unchanged
        ",
    );
}

#[test]
fn products_that_are_not_named_stay_as_they_are() {
    check(
        "
        product A a1
        product B b1 b2
        product C c1
        user ada NL B=b2
        turn ada +C -A
        turn bob +C
        user bob NL A B!b1 C=c1
        ",
        "
        ada applied: +C!
        bob unchanged
        ",
    );
}

#[test]
fn all_reasons_are_said_together() {
    check(
        "
        product A a1 a2 a3 ~a4
        company B b1
        product C c1
        product D d1
        product E e1 e2
        seats C 0 suspended 2
        seats D 1 others 3
        unlicensed B
        rule a1 excludes a2
        rule a1 excludes e2
        rule a3 requires x1 x2
        rule e2 requires e1
        rule c1 prohibited NL
        user ada NL inactive E
        user bob -- inactive
        turn ada +A=a1,a2,a3,a4 +B +C +D +E=e2
        turn bob +A=a1,a2,a3,a4 +B +C +D +E=e2
        ",
        "
        ada failed: DEPENDENT_PLAN_REMAINS e2 e1; LICENSE_SUSPENDED C; \
         MUTUALLY_EXCLUSIVE_PLANS a1 a2 e2; PLAN_NOT_IN_PRODUCT A a4; \
         PREREQUISITE_MISSING a3 x1|x2; PRODUCT_NOT_FOR_USERS B; PRODUCT_NOT_LICENSED B; \
         SEATS_EXHAUSTED D -2; USAGE_LOCATION_PROHIBITED c1 NL; USER_INACTIVE
        bob failed: LICENSE_SUSPENDED C; MUTUALLY_EXCLUSIVE_PLANS a1 a2 e2; \
         PLAN_NOT_IN_PRODUCT A a4; PREREQUISITE_MISSING a3 x1|x2; PREREQUISITE_MISSING e2 e1; \
         PRODUCT_NOT_FOR_USERS B; PRODUCT_NOT_LICENSED B; SEATS_EXHAUSTED D -2; \
         USAGE_LOCATION_MISSING; USER_INACTIVE
        ",
    );
}

#[test]
fn one_reason_refuses_the_whole_change() {
    check(
        "
        product A a1
        product B b1 b2
        product C c1
        unlicensed C
        user ada NL A B
        turn ada -A +B=b1 +C
        turn bob -A
        user bob NL A
        ",
        "
        ada failed: PRODUCT_NOT_LICENSED C
        bob applied: -A
        ",
    );
}
