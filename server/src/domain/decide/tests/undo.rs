use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{Decided, Holdings, World, number};
use super::{check, check_seats, oracle, random};
use crate::domain::{
    Change, Disposition, Edit, Order, PlanChoice, ProductId, Reason, Terms, Turn, Undo,
};

const WORLD: &str = "
    product A x y
    product B x y z
    product C c
    ";

/// Each line of `turns` is a user with what it holds and, after `|`, its turn.
fn turns(turns: &str) -> String {
    let mut world = WORLD.to_owned();
    let lines = turns.lines().map(str::trim).filter(|line| !line.is_empty());
    for (user, turn) in lines.map(|line| line.split_once('|').expect("a user and its turn")) {
        let name = user.split_whitespace().next().expect("a name");
        world += &format!("user {user}\nturn {name} {turn}\n");
    }
    world
}

#[test]
fn what_a_batch_did_is_taken_back_whatever_it_was() {
    check(
        &turns(
            "
            given NL A | ~A:!:-
            taken NL | ~A:-:=x
            plans NL A!y | ~A:!y:=x,y
            replaced NL B!y C | ~A:-:!y ~B:!y:-
            held NL B!z C | ~A:-:! ~B:!z:=y
            ",
        ),
        "
        given applied: -A
        taken applied: +A=x
        plans applied: A=x,y
        replaced applied: -B +A!y
        held applied: B=y +A!
        ",
    );
}

#[test]
fn what_was_changed_since_is_left_alone_with_all_the_user_has() {
    check(
        &turns(
            "
            plans NL A=x C | ~A:!:- ~C:!:-
            lost NL C | ~A:!:!x ~C:!:-
            got NL B A=x | ~B:!:- ~A:-:!
            both NL A=x B=x | ~A:-:! ~B:!:-
            ",
        ),
        "
        plans failed: CHANGED_SINCE A
        lost failed: CHANGED_SINCE A
        got failed: CHANGED_SINCE A
        both failed: CHANGED_SINCE A; CHANGED_SINCE B
        ",
    );
}

#[test]
fn what_is_as_it_was_before_needs_nothing_unless_another_part_was_changed() {
    check(
        &turns(
            "
            all NL A | ~A:-:! ~B:!:-
            half NL | ~A:-:! ~B:!:-
            halfsafe NL | ~~A:-:! ~~B:!:-
            ",
        ),
        "
        all unchanged
        half failed: CHANGED_SINCE B
        halfsafe applied: +A!
        ",
    );
}

#[test]
fn the_safe_part_is_taken_back_and_the_rest_is_named() {
    check(
        &turns(
            "
            some NL A=x C | ~~A:!:- ~~C:!:-
            none NL A=x | ~~A:!:-
            all NL A C | ~~A:!:- ~~C:!:-
            ",
        ),
        "
        some applied: -C CHANGED_SINCE A
        none failed: CHANGED_SINCE A
        all applied: -A -C
        ",
    );
}

#[test]
fn rules_seats_and_the_state_of_the_user_count_as_for_every_change() {
    let world = "
        product A a
        product B b
        product C c
        product D d
        rule a excludes b
        rule d requires c
        seats C 2
        user excl NL B
        user inactive NL inactive
        user nowhere --
        user seat NL
        user needs NL C D
        user frees NL C
        turn excl ~A:-:!
        turn inactive ~A:-:!
        turn nowhere ~A:-:!
        turn seat ~C:-:!
        turn needs ~C:!:-
        turn ?gone ~A:!:-
        ";
    check(
        world,
        "
        excl failed: MUTUALLY_EXCLUSIVE_PLANS a b
        inactive failed: USER_INACTIVE
        nowhere failed: USAGE_LOCATION_MISSING
        seat failed: SEATS_EXHAUSTED C 0
        needs failed: DEPENDENT_PLAN_REMAINS d c
        ?gone failed: USER_NOT_FOUND
        ",
    );
}

#[test]
fn plans_that_a_product_has_lost_come_back_to_who_had_them() {
    check(
        "
        product A x ~y
        user only NL
        user all NL A=x
        turn only ~A:-:=x,y
        turn all ~A:=x:!
        ",
        "
        only applied: +A=x,y
        all applied: A!
        ",
    );
}

#[test]
fn seats_that_an_undo_frees_serve_those_after_it() {
    let world = "
        product A a
        product B b
        seats A 1
        seats B 1
        user ada NL A
        user bob NL B
        turn ada ~A:!:-
        turn bob ~A:-:! ~B:!:-
        ";
    check(
        world,
        "
        ada applied: -A
        bob applied: -B +A!
        ",
    );
    check_seats(
        world,
        "
        A 1 -> 1 of 1
        B 1 -> 0 of 1
        ",
    );
}

#[test]
fn an_undo_can_be_all_or_nobody() {
    check(
        "
        product A a
        product B b
        terms atomic
        user ada NL A
        user bob NL B
        turn ada ~A:!:-
        turn bob ~A:-:! ~B:!:-
        ",
        "
        ada applied: -A
        bob applied: -B +A!
        ",
    );
    check(
        "
        product A a
        terms atomic
        user ada NL A
        user bob NL A=
        turn ada ~A:!:-
        turn bob ~A:!:-
        ",
        "
        ada skipped: BATCH_ROLLED_BACK
        bob failed: CHANGED_SINCE A
        ",
    );
}

proptest! {
    #[test]
    fn what_a_batch_did_is_undone_exactly_or_refused(
        world in random::world(),
        takes_safe_part in any::<bool>(),
    ) {
        let decided = world.decide();
        let undo = undoing(&world, &decided, takes_safe_part);
        let undone = undo.decide();
        prop_assert_eq!(&undone, &oracle::judge(&undo));
        for (turn, verdict) in undo.order.turns.iter().zip(&undone.verdicts) {
            let is_changed = |reason: &Reason| matches!(reason, Reason::ChangedSince { .. });
            prop_assert!(!verdict.reasons.iter().any(is_changed), "nobody has changed anything");
            match verdict.disposition {
                Disposition::Applied => prop_assert_eq!(&verdict.held, &world.held(turn.user)),
                other => prop_assert_eq!(other, Disposition::Failed),
            }
        }
        // Once more, there is nothing left to do for whom it was done.
        let again = undo.after(&undone).decide();
        for (first, second) in undone.verdicts.iter().zip(&again.verdicts) {
            if first.disposition == Disposition::Applied {
                prop_assert_eq!(second.disposition, Disposition::Unchanged);
            }
        }
    }
}

/// The world after a decision, in which that is to be undone.
fn undoing(world: &World, decided: &Decided, takes_safe_part: bool) -> World {
    let mut next = world.after(decided);
    next.order = Order::default();
    next.cuts.clear();
    next.terms = Terms::BestEffort;
    for (turn, verdict) in world.order.turns.iter().zip(&decided.verdicts) {
        if verdict.disposition != Disposition::Applied {
            continue;
        }
        let (before, after) = (world.held(turn.user), &verdict.held);
        let products: BTreeSet<ProductId> = before.keys().chain(after.keys()).copied().collect();
        let mut choice = |held: &Holdings, product| {
            let choice: Option<&PlanChoice> = held.get(&product);
            choice.map(|choice| number(&mut next.choices, choice))
        };
        let edits = products.into_iter().map(|product| Edit {
            product,
            before: choice(&before, product),
            after: choice(after, product),
        });
        let edits = edits.filter(|edit| edit.before != edit.after).collect();
        let undo = Some(Undo {
            edits,
            takes_safe_part,
        });
        let index = u32::try_from(next.order.turns.len()).expect("few turns");
        next.order.turns.push(Turn {
            index,
            change: index,
            ..turn.clone()
        });
        next.order.changes.push(Change {
            undo,
            ..Change::default()
        });
    }
    next
}
