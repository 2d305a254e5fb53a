use super::{check, check_seats};

#[test]
fn only_a_holder_gets_the_one_for_the_other() {
    check(
        "
        product A a1
        product B b1
        product C c1
        user ada NL A C=
        user bob NL C
        user cyd NL B
        turn ada A>B
        turn bob A>B
        turn cyd A>B
        ",
        "
        ada applied: -A +B!
        bob unchanged
        cyd unchanged
        ",
    );
}

#[test]
fn who_holds_both_keeps_the_choice_of_the_new_one_and_frees_the_seat_of_the_old_one() {
    let world = "
        product A x
        product B x y
        seats A 1
        seats B 1
        user ada NL A= B=y
        user bob NL
        turn ada A>B
        turn bob +A
        ";
    check(
        world,
        "
        ada applied: -A
        bob applied: +A!
        ",
    );
    check_seats(
        world,
        "
        A 1 -> 1 of 1
        B 1 -> 1 of 1
        ",
    );
}

#[test]
fn plans_of_both_products_stay_as_they_were_and_the_others_are_on() {
    check(
        "
        product A x y old
        product B x y new
        user ada NL A
        user bob NL A!y
        user cyd NL A=x,old
        user dee NL A!old
        user eve NL A=
        turn ada A>B
        turn bob A>B
        turn cyd A>B
        turn dee A>B
        turn eve A>B
        ",
        "
        ada applied: -A +B!
        bob applied: -A +B!y
        cyd applied: -A +B!y
        dee applied: -A +B!
        eve applied: -A +B!x,y
        ",
    );
}

#[test]
fn a_plan_that_is_on_through_a_third_product_is_not_carried() {
    check(
        "
        product A x
        product B x y
        product C x
        user ada NL A= C
        turn ada A>B
        ",
        "ada applied: -A +B!x",
    );
}

#[test]
fn retired_plans_are_not_given_but_carried_from_who_kept_them() {
    check(
        "
        product A ~x y
        product B x ~y
        user ada NL A
        user bob NL A=y
        turn ada A>B
        turn bob A>B
        ",
        "
        ada applied: -A +B!y
        bob applied: -A +B!x,y
        ",
    );
}

#[test]
fn a_choice_that_is_made_counts_more_than_the_one_before() {
    check(
        "
        product A x y
        product B x y z
        user ada NL A=x
        user bob NL A=x
        user cyd NL A=x B=z
        user dee NL B=z
        turn ada A>B!
        turn bob A>B=y
        turn cyd A>B=y
        turn dee A>B=y
        ",
        "
        ada applied: -A +B!
        bob applied: -A +B=y
        cyd applied: -A B=y
        dee unchanged
        ",
    );
}

#[test]
fn a_delta_starts_from_what_is_carried() {
    check(
        "
        product A x y
        product B x y z
        user ada NL A=
        user bob NL A=x
        user cyd NL A= B=z
        turn ada A>B:+x,-z
        turn bob A>B:-x
        turn cyd A>B:+x,-z
        ",
        "
        ada applied: -A +B!y,z
        bob applied: -A +B!x,y
        cyd applied: -A B=x
        ",
    );
}

#[test]
fn a_retired_plan_is_refused_only_to_who_is_given_the_product() {
    check(
        "
        product A x
        product B x ~r
        user ada NL A
        user bob NL
        user cyd NL A B
        turn ada A>B=r
        turn bob A>B=r
        turn cyd A>B=r
        ",
        "
        ada failed: PLAN_NOT_IN_PRODUCT B r
        bob unchanged
        cyd applied: -A B=r
        ",
    );
}

#[test]
fn who_finds_no_seat_of_the_new_one_keeps_the_old_one() {
    let world = "
        product A a1
        product B b1
        seats A 2
        seats B 1
        user ada NL A
        user bob NL A
        user cyd NL
        turn ada A>B
        turn bob A>B
        turn cyd +A
        ";
    check(
        world,
        "
        ada applied: -A +B!
        bob failed: SEATS_EXHAUSTED B 0
        cyd applied: +A!
        ",
    );
    check_seats(
        world,
        "
        A 2 -> 2 of 2
        B 0 -> 1 of 1, 1 short
        ",
    );
}

#[test]
fn what_cannot_be_had_is_not_given_for_another() {
    check(
        "
        product A a1
        product B b1
        company C c1
        product D d1
        unlicensed B
        seats D 0 suspended 1
        user ada NL A
        user bob -- A
        user cyd NL inactive A
        user dee -- inactive A E
        product E a1
        turn ada A>B
        turn bob A>C
        turn cyd A>D
        turn dee A>E
        ",
        "
        ada failed: PRODUCT_NOT_LICENSED B
        bob failed: PRODUCT_NOT_FOR_USERS C; USAGE_LOCATION_MISSING
        cyd failed: LICENSE_SUSPENDED D; USER_INACTIVE
        dee applied: -A
        ",
    );
}

#[test]
fn rules_judge_what_is_so_in_the_end() {
    check(
        "
        product A a1 x
        product B b1 x
        product C c1
        rule a1 excludes b1
        rule c1 requires x
        rule b1 prohibited US
        user ada NL A C
        user bob NL A=x C
        user cyd NL A=a1
        user dee US A
        user eve NL A C
        turn ada A>B
        turn bob A>B:-x
        turn cyd A>B +C
        turn dee A>B
        turn eve A>B=b1
        ",
        "
        ada applied: -A +B!
        bob failed: DEPENDENT_PLAN_REMAINS c1 x
        cyd failed: PREREQUISITE_MISSING c1 x
        dee failed: USAGE_LOCATION_PROHIBITED b1 US
        eve failed: DEPENDENT_PLAN_REMAINS c1 x
        ",
    );
}

#[test]
fn seats_are_handed_down_a_chain_of_users() {
    check(
        "
        product A a1
        product B b1
        product C c1
        seats A 1
        seats B 1
        seats C 1
        user ada NL B
        user bob NL A
        user cyd NL
        turn ada B>C
        turn bob A>B
        turn cyd +A
        ",
        "
        ada applied: -B +C!
        bob applied: -A +B!
        cyd applied: +A!
        ",
    );
}

#[test]
fn several_products_are_replaced_in_one_step() {
    check(
        "
        product A x
        product B x
        product C y
        product D y
        product E z
        user ada NL A= C=y
        user bob NL C E=
        turn ada A>B C>D +E
        turn bob A>B C>D -E
        ",
        "
        ada applied: -A -C +B!x +D! +E!
        bob applied: -C -E +D!
        ",
    );
}

#[test]
fn others_are_revoked_but_for_the_named_and_the_kept() {
    check(
        "
        product A a1 a2
        product B b1
        product C c1
        product D d1
        product E e1
        user ada NL A=a1 B C D E
        user bob NL A=a1 B C D E
        user cyd NL B D
        user dee NL D
        user eve NL
        turn ada +A -*
        turn bob +A -B D>E -*!C
        turn cyd -*
        turn dee -*!C,D
        turn eve -*
        ",
        "
        ada applied: -B -C -D -E
        bob applied: -B -D
        cyd applied: -B -D
        dee unchanged
        eve unchanged
        ",
    );
}

#[test]
fn the_one_given_for_another_is_named_also_where_that_is_not_held() {
    check(
        "
        product A a1
        product B b1
        product C c1
        user ada NL B C
        user bob NL A B C
        turn ada A>B -*
        turn bob A>B -*
        ",
        "
        ada applied: -C
        bob applied: -A -C
        ",
    );
}

#[test]
fn who_is_refused_keeps_the_others() {
    check(
        "
        product A a1
        product B b1
        product C c1
        seats A 0
        rule b1 requires c1
        user ada NL B C
        user bob NL B C
        turn ada +A -*
        turn bob -*!B
        ",
        "
        ada failed: SEATS_EXHAUSTED A 0
        bob failed: DEPENDENT_PLAN_REMAINS b1 c1
        ",
    );
}
