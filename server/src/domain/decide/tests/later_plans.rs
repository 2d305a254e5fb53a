use super::check;

#[test]
fn where_later_plans_are_off_all_is_kept_as_those_there_are() {
    check(
        "
        product A a1 a2 ~r1
        later A off
        user ada NL
        user bob NL
        user cyd NL
        user dee NL A=a1
        user eve NL
        turn ada +A
        turn bob +A!
        turn cyd +A!a2
        turn dee +A!
        turn eve +A=a1
        ",
        "
        ada applied: +A=a1,a2
        bob applied: +A=a1,a2
        cyd applied: +A=a1
        dee applied: A=a1,a2
        eve applied: +A=a1
        ",
    );
}

#[test]
fn the_customer_decides_otherwise_than_the_product() {
    check(
        "
        product A a1
        product B b1
        later A off
        override A on
        override B off
        user ada NL
        turn ada +A +B
        ",
        "ada applied: +A! +B=b1",
    );
}

#[test]
fn the_customer_may_decide_as_the_product_does() {
    check(
        "
        product A a1
        product B b1
        later A off
        override A off
        override B on
        user ada NL
        turn ada +A +B
        ",
        "ada applied: +A=a1 +B!",
    );
}

#[test]
fn a_plan_added_since_is_on_for_who_is_given_all_again() {
    let world = |given| {
        format!(
            "
            product A a1 a2 new
            later A off
            user ada NL A=a1,a2
            turn ada {given}
            "
        )
    };
    check(&world("+A"), "ada unchanged");
    check(&world("+A!"), "ada applied: A=a1,a2,new");
    check(&world("+A!a2"), "ada applied: A=a1,new");
    check(&world("+A:-a2"), "ada applied: A=a1");
}

#[test]
fn a_choice_made_before_keeps_its_form_until_all_is_given_again() {
    check(
        "
        product A a1 a2
        later A off
        user ada NL A
        user bob NL A
        user cyd NL A
        turn ada +A
        turn bob +A:-a2
        turn cyd +A!
        ",
        "
        ada unchanged
        bob applied: A!a2
        cyd applied: A=a1,a2
        ",
    );
}

#[test]
fn where_later_plans_are_on_all_is_kept_as_all() {
    check(
        "
        product A a1 a2
        user ada NL A=a1,a2
        turn ada +A!
        ",
        "ada applied: A!",
    );
}

#[test]
fn who_keeps_a_retired_plan_has_it_spelled_out() {
    check(
        "
        product A a1 ~r1 ~r2
        later A off
        user ada NL A!r2
        turn ada +A!
        ",
        "ada applied: A=a1,r1",
    );
}

#[test]
fn deltas_and_replacements_of_new_holders_are_spelled_out() {
    check(
        "
        product A x y
        product B x y z
        later B off
        user ada NL
        user bob NL A=x
        user cyd NL A=x
        user dee NL A B!z
        turn ada +B:-y
        turn bob A>B
        turn cyd A>B:+y,-x
        turn dee A>B:-y
        ",
        "
        ada applied: +B=x,z
        bob applied: -A +B=x,z
        cyd applied: -A +B=y,z
        dee applied: -A B!y,z
        ",
    );
}
