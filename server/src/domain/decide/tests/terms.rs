use super::{agreed, check, check_seats, text};
use crate::domain::{Disposition, Outcome, Plan, Progress, Stop, Terms, decide};

#[test]
fn the_rest_is_skipped_after_so_many_failures() {
    let users = "
        product A a1
        product B b1
        seats A 1
        user ada NL
        user bob NL
        user cyd NL
        user dee NL
        user eve NL B
        turn ada +A
        turn bob +A
        turn cyd +B
        turn dee +A
        turn ?zed +A
        turn eve +B
        ";
    check(
        &format!("terms stop 2\n{users}"),
        "
        ada applied: +A!
        bob failed: SEATS_EXHAUSTED A 0
        cyd applied: +B!
        dee failed: SEATS_EXHAUSTED A 0
        ?zed skipped: STOPPED_AFTER_FAILURES
        eve skipped: STOPPED_AFTER_FAILURES
        ",
    );
    check(
        &format!("terms stop 3\n{users}"),
        "
        ada applied: +A!
        bob failed: SEATS_EXHAUSTED A 0
        cyd applied: +B!
        dee failed: SEATS_EXHAUSTED A 0
        ?zed failed: USER_NOT_FOUND
        eve skipped: STOPPED_AFTER_FAILURES
        ",
    );
}

#[test]
fn failures_are_counted_from_order_to_order() {
    check(
        "
        terms stop 2
        product A a1
        seats A 0
        user ada NL
        user bob NL
        user cyd NL
        user dee NL
        turn ada +A
        turn bob -A
        cut
        turn cyd +A
        turn dee -A
        cut
        turn eve +A
        ",
        "
        ada failed: SEATS_EXHAUSTED A 0
        bob unchanged
        cyd failed: SEATS_EXHAUSTED A 0
        dee skipped: STOPPED_AFTER_FAILURES
        eve skipped: STOPPED_AFTER_FAILURES
        ",
    );
}

#[test]
fn an_order_may_begin_where_the_limit_is_reached_already() {
    check(
        "
        terms stop 1
        product A a1
        user ada NL
        user bob NL A
        turn ?zed +A
        cut
        turn ada +A
        turn bob -A
        ",
        "
        ?zed failed: USER_NOT_FOUND
        ada skipped: STOPPED_AFTER_FAILURES
        bob skipped: STOPPED_AFTER_FAILURES
        ",
    );
}

#[test]
fn a_batch_is_stopped_only_if_somebody_is_skipped() {
    let stopped = |limit| {
        let world = format!(
            "
            terms stop {limit}
            product A a1
            user ada NL
            turn ada +A
            turn ?zed +A
            turn ?zoe +A
            "
        );
        agreed(&text::parse(&world)).stopped
    };
    assert_eq!(stopped(1), Some(Stop::Failures));
    assert_eq!(stopped(2), None);
}

#[test]
fn who_is_skipped_neither_takes_nor_frees_a_seat() {
    check_seats(
        "
        terms stop 1
        product A a1
        product B b1
        user ada NL B
        user bob NL
        turn ?zed +A
        turn ada +A -B
        turn bob +B
        ",
        "
        A 0 -> 0 of 9
        B 1 -> 1 of 9
        ",
    );
}

#[test]
fn once_stopped_nobody_is_tried_any_more() {
    let world = text::parse(
        "
        product A a1
        user ada NL
        user bob NL A
        turn ada +A
        turn bob -A
        turn ?zed +A
        ",
    );
    for stop in [Stop::Failures, Stop::PlanStale, Stop::RolledBack] {
        let mut snapshot = world.snapshot();
        snapshot.progress.stopped = Some(stop);
        let plan = decide(
            &world.catalogue(),
            &snapshot,
            &world.order,
            Terms::BestEffort,
        );
        let bob = snapshot.users[&text::user_id("bob")].held.clone();
        let skipped = |held| Outcome {
            disposition: Disposition::Skipped,
            edits: vec![],
            held,
            reasons: vec![stop.reason()],
        };
        assert_eq!(plan.outcomes, [vec![], bob, vec![]].map(skipped));
        assert_eq!(plan.stopped, Some(stop));
        assert!(plan.seat_deltas.is_empty() && plan.demand.is_empty());
        let mut progress = Progress::default();
        progress.add(&snapshot, &world.order, &plan);
        assert_eq!((progress.failed, progress.stopped), (0, Some(stop)));
        assert_eq!(progress.tally.reasons[stop.reason().code()], 3);
        progress.add(&snapshot, &world.order, &Plan::default());
        assert_eq!(progress.stopped, Some(stop), "for good");
    }
}

const CROSSWISE: &str = "
    product A a1
    product B b1
    seats A 1
    seats B 1
    user ada NL A
    user bob NL B
    turn ada A>B
    turn bob B>A
    ";

#[test]
fn an_atomic_batch_is_judged_by_its_net() {
    check(
        &format!("terms atomic\n{CROSSWISE}"),
        "
        ada applied: -A +B!
        bob applied: -B +A!
        ",
    );
    check(
        CROSSWISE,
        "
        ada failed: SEATS_EXHAUSTED B 0
        bob failed: SEATS_EXHAUSTED A 0
        ",
    );
}

#[test]
fn one_refused_user_of_an_atomic_batch_leaves_all_as_they_were() {
    let world = "
        terms atomic
        product A a1
        product B b1
        user ada NL B
        user bob --
        user cyd NL A
        turn ada +A -*
        turn bob +A
        turn ?zed +A
        turn cyd +A
        ";
    check(
        world,
        "
        ada skipped: BATCH_ROLLED_BACK
        bob failed: USAGE_LOCATION_MISSING
        ?zed failed: USER_NOT_FOUND
        cyd skipped: BATCH_ROLLED_BACK
        ",
    );
    check_seats(world, "A 1 -> 1 of 9");
    let decided = agreed(&text::parse(world));
    assert_eq!(decided.stopped, Some(Stop::RolledBack));
    let counts = [
        "BATCH_ROLLED_BACK",
        "USAGE_LOCATION_MISSING",
        "USER_NOT_FOUND",
    ]
    .map(String::from);
    assert_eq!(decided.reasons, counts.into_iter().zip([2, 1, 1]).collect());
}

#[test]
fn a_user_who_is_not_found_rolls_an_atomic_batch_back() {
    check(
        "
        terms atomic
        product A a1
        user ada NL
        turn ada +A
        turn ?zed +A
        ",
        "
        ada skipped: BATCH_ROLLED_BACK
        ?zed failed: USER_NOT_FOUND
        ",
    );
}

#[test]
fn every_user_without_a_seat_of_an_atomic_batch_is_told_so() {
    check(
        "
        terms atomic
        product A a1
        product B b1
        seats A 1
        seats B 0
        user ada NL
        user bob NL
        user cyd NL
        user dee --
        user eve NL A
        turn ada +A
        turn bob +A +B
        turn cyd +A
        turn dee +A
        turn eve -A
        ",
        "
        ada skipped: BATCH_ROLLED_BACK
        bob failed: SEATS_EXHAUSTED A 0; SEATS_EXHAUSTED B 0
        cyd failed: SEATS_EXHAUSTED A -1
        dee failed: SEATS_EXHAUSTED A -2; USAGE_LOCATION_MISSING
        eve skipped: BATCH_ROLLED_BACK
        ",
    );
}

#[test]
fn who_is_refused_frees_no_seat_for_an_atomic_batch() {
    check(
        "
        terms atomic
        product A a1
        product B b1
        seats A 1
        rule b1 prohibited NL
        user ada NL
        user bob NL A
        turn ada +A
        turn bob A>B
        ",
        "
        ada failed: SEATS_EXHAUSTED A 0
        bob failed: USAGE_LOCATION_PROHIBITED b1 NL
        ",
    );
}

#[test]
fn an_atomic_batch_that_changes_nothing_succeeds() {
    check(
        "
        terms atomic
        product A a1
        seats A 0 others 3
        user ada NL A
        user bob NL
        turn ada +A
        turn bob -A
        ",
        "
        ada unchanged
        bob unchanged
        ",
    );
}

#[test]
fn a_seat_freed_after_a_cut_is_there_for_nobody_until_there_are_enough() {
    let world = |total| {
        format!(
            "
            terms atomic
            product A a1
            seats A {total} others 1
            user ada NL
            user bob NL A
            turn ada +A
            turn bob -A
            "
        )
    };
    check(
        &world(1),
        "
        ada failed: SEATS_EXHAUSTED A 0
        bob skipped: BATCH_ROLLED_BACK
        ",
    );
    check_seats(&world(1), "A 2 -> 2 of 1, 1 short");
    check(
        &world(2),
        "
        ada applied: +A!
        bob applied: -A
        ",
    );
    check_seats(&world(2), "A 2 -> 2 of 2");
}
