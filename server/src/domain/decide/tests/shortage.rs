use super::check_seats;

#[test]
fn as_many_are_short_as_find_no_seat() {
    check_seats(
        "
        product A a1
        product B b1
        seats A 1
        user ada NL
        user bob NL
        user cyd NL
        turn ada +A
        turn bob +A +B
        turn cyd +A
        ",
        "
        A 0 -> 1 of 1, 2 short
        B 0 -> 0 of 9
        ",
    );
}

#[test]
fn the_last_seat_is_not_short() {
    check_seats(
        "
        product A a1
        seats A 1
        user ada NL
        turn ada +A
        ",
        "A 0 -> 1 of 1",
    );
}

#[test]
fn after_a_cut_the_seats_above_the_total_are_short_as_well() {
    check_seats(
        "
        product A a1
        seats A 1 others 4
        user ada NL
        turn ada +A
        ",
        "A 4 -> 4 of 1, 4 short",
    );
}

#[test]
fn a_seat_freed_earlier_is_not_short_and_one_freed_later_is() {
    check_seats(
        "
        product A a1
        product B b1
        seats A 1
        seats B 1
        user ada NL A
        user bob NL
        user cyd NL B
        user dee NL
        turn ada -A
        turn bob +A
        turn dee +B
        turn cyd -B
        ",
        "
        A 1 -> 1 of 1
        B 1 -> 0 of 1, 1 short
        ",
    );
}

#[test]
fn with_enough_seats_others_would_have_given_up_theirs() {
    check_seats(
        "
        product A a1
        product B b1
        seats A 0
        seats B 1
        user ada NL B
        user bob NL
        turn ada B>A
        turn bob +B
        ",
        "
        A 0 -> 0 of 0, 1 short
        B 1 -> 1 of 1
        ",
    );
}

#[test]
fn with_enough_seats_others_would_have_taken_more() {
    check_seats(
        "
        product A a1
        product B b1
        seats A 0
        seats B 1
        user ada NL
        user bob NL
        turn ada +A +B
        turn bob +B
        ",
        "
        A 0 -> 0 of 0, 1 short
        B 0 -> 1 of 1, 1 short
        ",
    );
}

#[test]
fn the_most_that_are_short_at_any_turn_are_short() {
    check_seats(
        "
        product A a1
        seats A 2
        user ada NL A
        user bob NL A
        user cyd NL
        user dee NL
        user eve NL
        turn cyd +A
        turn dee +A
        turn ada -A
        turn bob -A
        turn eve +A
        ",
        "A 2 -> 1 of 2, 2 short",
    );
}

#[test]
fn who_is_refused_for_more_than_a_seat_needs_one_but_takes_none() {
    check_seats(
        "
        product A a1
        product B b1
        seats A 0
        user ada --
        user bob --
        turn ada +A +B
        turn bob +A
        ",
        "
        A 0 -> 0 of 0, 1 short
        B 0 -> 0 of 9
        ",
    );
}

#[test]
fn licenses_that_are_suspended_or_not_there_are_not_short() {
    check_seats(
        "
        product A a1
        product B b1
        product C c1
        seats A 0 suspended 3
        unlicensed B
        seats C 0
        user ada NL
        turn ada +A +B +C
        ",
        "
        A 0 -> 0 of 0
        C 0 -> 0 of 0, 1 short
        ",
    );
}

#[test]
fn a_shortage_is_carried_from_order_to_order() {
    check_seats(
        "
        product A a1
        product B b1
        seats A 1
        seats B 1
        user ada NL
        user bob NL B
        user cyd NL
        user dee NL
        turn ada +A
        turn bob B>A
        cut
        turn cyd +A
        cut
        turn dee +B
        ",
        "
        A 0 -> 1 of 1, 2 short
        B 1 -> 1 of 1
        ",
    );
}

#[test]
fn a_seat_that_would_have_been_given_up_unnamed_is_remembered() {
    check_seats(
        "
        product A a1
        product B b1
        seats A 0
        seats B 1
        user ada NL B
        user bob NL
        turn ada +A -*
        cut
        turn bob +B
        ",
        "
        A 0 -> 0 of 0, 1 short
        B 1 -> 1 of 1
        ",
    );
}

#[test]
fn an_atomic_batch_is_short_of_its_net() {
    check_seats(
        "
        terms atomic
        product A a1
        seats A 1
        user ada NL
        user bob NL
        user cyd NL
        user dee NL A
        user eve --
        turn ada +A
        turn eve +A
        turn bob +A
        turn cyd +A
        turn dee -A
        ",
        "A 1 -> 1 of 1, 2 short",
    );
}

#[test]
fn who_is_not_tried_is_short_of_nothing() {
    check_seats(
        "
        terms stop 1
        product A a1
        seats A 0
        user ada NL
        user bob NL
        turn ada +A
        turn bob +A
        ",
        "A 0 -> 0 of 0, 1 short",
    );
}
