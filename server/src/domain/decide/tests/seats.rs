use super::check;

#[test]
fn users_are_served_in_turn_while_there_are_seats() {
    check(
        "
        product A a1
        seats A 3 others 1
        user ada NL
        user bob NL
        user cyd NL
        user dee NL
        turn dee +A
        turn cyd +A
        turn bob +A
        turn ada +A
        ",
        "
        dee applied: +A!
        cyd applied: +A!
        bob failed: SEATS_EXHAUSTED A 0
        ada failed: SEATS_EXHAUSTED A 0
        ",
    );
}

#[test]
fn seats_in_grace_can_be_assigned_and_suspended_ones_cannot() {
    check(
        "
        product A a1
        product B b1
        seats A 0 warning 1 suspended 5
        seats B 1 suspended 5
        user ada NL
        user bob NL
        turn ada +A +B
        turn bob +A +B
        ",
        "
        ada applied: +A! +B!
        bob failed: SEATS_EXHAUSTED A 0; SEATS_EXHAUSTED B 0
        ",
    );
}

#[test]
fn a_license_is_suspended_if_only_cancelled_seats_are_left() {
    check(
        "
        product A a1
        product B b1
        product C c1
        seats A 0 suspended 1
        seats B 0
        seats C 0 suspended 4 others 2
        user ada NL
        turn ada +A +B +C
        ",
        "ada failed: LICENSE_SUSPENDED A; LICENSE_SUSPENDED C; SEATS_EXHAUSTED B 0",
    );
}

#[test]
fn a_suspended_license_refuses_additions_only() {
    check(
        "
        product A a1 a2
        product B b1
        seats A 0 suspended 9
        user ada NL A
        user bob NL A
        user cyd NL A=a1
        user dee NL
        turn ada -A +B
        turn bob +A
        turn cyd +A!
        turn dee +A
        ",
        "
        ada applied: -A +B!
        bob unchanged
        cyd applied: A!
        dee failed: LICENSE_SUSPENDED A
        ",
    );
}

#[test]
fn a_product_for_the_company_is_for_no_user() {
    check(
        "
        company A a1
        product B b1
        user ada NL
        user bob NL A
        turn ada +A +B
        turn bob -A +B
        ",
        "
        ada failed: PRODUCT_NOT_FOR_USERS A
        bob applied: -A +B!
        ",
    );
}

#[test]
fn a_product_without_license_may_be_revoked_but_not_assigned() {
    check(
        "
        product A a1
        product B b1
        unlicensed A
        user ada NL
        user bob NL B
        turn ada +A +B
        turn bob -A -B
        ",
        "
        ada failed: PRODUCT_NOT_LICENSED A
        bob applied: -B
        ",
    );
}

#[test]
fn a_holder_needs_no_second_seat() {
    check(
        "
        product A a1 a2
        seats A 1
        user ada NL A
        user bob NL
        turn ada +A=a1
        turn bob +A
        ",
        "
        ada applied: A=a1
        bob failed: SEATS_EXHAUSTED A 0
        ",
    );
}

#[test]
fn a_seat_freed_earlier_serves_a_later_user() {
    check(
        "
        product A a1
        product B b1
        seats A 1
        seats B 1
        user ada NL A
        user bob NL B
        user cyd NL
        turn ada -A
        turn bob +A -B
        turn cyd +B
        ",
        "
        ada applied: -A
        bob applied: -B +A!
        cyd applied: +B!
        ",
    );
}

#[test]
fn a_seat_freed_later_serves_nobody_before() {
    check(
        "
        product A a1
        product B b1
        seats A 1
        seats B 1
        user ada NL B
        user bob NL A
        user cyd NL
        turn ada +A -B
        turn cyd +B
        turn bob -A
        ",
        "
        ada failed: SEATS_EXHAUSTED A 0
        cyd failed: SEATS_EXHAUSTED B 0
        bob applied: -A
        ",
    );
}

#[test]
fn two_users_cannot_exchange_the_last_seats() {
    check(
        "
        product A a1
        product B b1
        seats A 1
        seats B 1
        user ada NL A
        user bob NL B
        turn ada +B -A
        turn bob +A -B
        ",
        "
        ada failed: SEATS_EXHAUSTED B 0
        bob failed: SEATS_EXHAUSTED A 0
        ",
    );
}

#[test]
fn a_user_who_is_refused_takes_and_frees_no_seat() {
    check(
        "
        product A a1
        product B b1
        product C c1
        seats A 1
        seats B 0
        seats C 1
        user ada NL
        user bob NL C
        user cyd --
        user dee NL
        turn ada +A +B
        turn bob -C +B
        turn cyd +A
        turn dee +A
        turn eve +C
        user eve NL
        ",
        "
        ada failed: SEATS_EXHAUSTED B 0
        bob failed: SEATS_EXHAUSTED B 0
        cyd failed: USAGE_LOCATION_MISSING
        dee applied: +A!
        eve failed: SEATS_EXHAUSTED C 0
        ",
    );
}

#[test]
fn after_a_cut_revokes_free_seats_that_nobody_gets_until_some_are_there() {
    check(
        "
        product A a1
        product B b1
        seats A 1 others 1
        user ada NL A
        user bob NL A
        user cyd NL
        user dee NL
        turn cyd +A
        turn ada -A +B
        turn dee +A
        turn bob -A
        turn eve +A
        user eve NL
        user fay NL
        turn fay +A
        ",
        "
        cyd failed: SEATS_EXHAUSTED A -2
        ada applied: -A +B!
        dee failed: SEATS_EXHAUSTED A -1
        bob applied: -A
        eve failed: SEATS_EXHAUSTED A 0
        fay failed: SEATS_EXHAUSTED A 0
        ",
    );
}

#[test]
fn the_last_freed_seat_above_a_cut_is_given_once() {
    check(
        "
        product A a1
        seats A 2 others 1
        user ada NL A
        user bob NL A
        user cyd NL
        user dee NL
        turn ada -A
        turn bob -A
        turn cyd +A
        turn dee +A
        ",
        "
        ada applied: -A
        bob applied: -A
        cyd applied: +A!
        dee failed: SEATS_EXHAUSTED A 0
        ",
    );
}

#[test]
fn each_product_is_short_at_its_own_turn() {
    check(
        "
        product A a1
        product B b1
        seats A 1
        seats B 2
        user ada NL
        user bob NL
        user cyd NL
        user dee NL
        turn ada +A +B
        turn bob +A +B
        turn cyd +B
        turn dee +A +B
        ",
        "
        ada applied: +A! +B!
        bob failed: SEATS_EXHAUSTED A 0
        cyd applied: +B!
        dee failed: SEATS_EXHAUSTED A 0; SEATS_EXHAUSTED B 0
        ",
    );
}
