use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::world::{Decided, Holdings, Verdict};
use super::{World, oracle, random, text};
use crate::domain::{Disposition, PlanEdit, ProductId, Reason, Seats, Stop, Terms};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(512)))]

    #[test]
    fn the_oracle_agrees(world in random::world()) {
        prop_assert_eq!(world.decide(), oracle::judge(&world));
    }
}

proptest! {
    #[test]
    fn no_assignment_takes_a_seat_that_is_not_there(world in random::world()) {
        let decided = world.decide();
        let mut seats = world.seats.clone();
        for (turn, verdict) in world.order.turns.iter().zip(&decided.verdicts) {
            let before = world.held(turn.user);
            for product in missing(&verdict.held, &before) {
                let seats = seats.get_mut(&product).expect("a license");
                let is_there = seats.available() > 0 || world.terms == Terms::Atomic;
                prop_assert!(is_there, "{} got {product}", turn.name);
                seats.assigned += 1;
            }
            for product in missing(&before, &verdict.held) {
                seats.get_mut(&product).expect("a license").assigned -= 1;
            }
        }
        prop_assert_eq!(&decided.seats, &seats, "initial + gained - lost");
        for (product, seats) in seats {
            let first = world.seats[&product];
            prop_assert!(seats.assigned <= first.assigned.max(first.assignable()));
        }
    }

    #[test]
    fn every_seat_has_a_holder(world in random::world()) {
        let outside = |world: &World, seats: &BTreeMap<ProductId, Seats>| {
            let held = |product| world.users.values().filter(move |u| u.held.contains_key(&product));
            let outside = |(&id, seats): (_, &Seats)| seats.assigned - held(id).count() as i64;
            seats.iter().map(outside).collect::<Vec<_>>()
        };
        let next = world.after(&world.decide());
        prop_assert_eq!(outside(&world, &world.seats), outside(&next, &next.seats));
    }

    #[test]
    fn a_user_loses_only_what_the_change_says(world in random::world()) {
        for (turn, verdict) in world.order.turns.iter().zip(&world.decide().verdicts) {
            let change = &world.order.changes[turn.change as usize];
            for product in missing(&world.held(turn.user), &verdict.held) {
                let replaced = change.replace.iter().find(|r| r.product == product);
                let handed_over = replaced.is_some_and(|r| verdict.held.contains_key(&r.by));
                let other = change.revoke_others.as_ref().is_some_and(|kept| {
                    !kept.contains(&product) && change.products().all(|named| named != product)
                });
                prop_assert!(handed_over || other || change.revoke.contains(&product));
            }
        }
    }

    #[test]
    fn a_delta_leaves_every_plan_that_it_does_not_name(world in random::world()) {
        for (turn, verdict) in world.order.turns.iter().zip(&world.decide().verdicts) {
            let change = &world.order.changes[turn.change as usize];
            let before = world.held(turn.user);
            let assigned = change.assign.iter().map(|a| (a.product, &a.plans));
            let given = change.replace.iter().map(|r| (r.by, &r.plans));
            for (product, plans) in assigned.chain(given) {
                let Some(PlanEdit::Delta { enable, disable }) = plans else { continue };
                let on = |held: &Holdings| Some(oracle::plans_of(&world, product, held.get(&product)?));
                let (Some(before), Some(after)) = (on(&before), on(&verdict.held)) else { continue };
                let (off, on) = (&before - &after, &after - &before);
                prop_assert!(off.iter().all(|plan| disable.contains(plan)));
                prop_assert!(on.iter().all(|plan| enable.contains(plan)));
            }
        }
    }

    #[test]
    fn a_batch_that_is_not_rolled_back_is_decided_alike_on_any_terms(world in random::world()) {
        // In turn, every user who succeeds finds a seat; all the more at once.
        let (mut turns, mut once) = (world.clone(), world);
        turns.terms = Terms::BestEffort;
        once.terms = Terms::Atomic;
        once.cuts.clear();
        let (turns, once) = (turns.decide(), once.decide());
        let failed = |v: &Verdict| v.disposition == Disposition::Failed;
        if !turns.verdicts.iter().any(failed) {
            prop_assert_eq!(turns.verdicts, once.verdicts);
        } else if once.stopped == Some(Stop::RolledBack) {
            prop_assert!(once.verdicts.iter().any(failed));
            prop_assert!(once.verdicts.iter().all(|v| failed(v) || v.disposition == Disposition::Skipped));
        }
    }

    #[test]
    fn an_order_given_again_serves_only_those_for_whom_a_seat_was_freed(
        mut world in random::world(),
    ) {
        world.terms = Terms::BestEffort;
        let mut decided = world.decide();
        // Each round that is not the last serves somebody for good.
        for _ in 0..=world.order.turns.len() {
            let next = world.after(&decided);
            let again = next.decide();
            compare_rounds((&world, &decided), (&next, &again))?;
            let anybody = decided.verdicts.iter().any(|v| v.disposition == Disposition::Applied);
            if !anybody {
                prop_assert_eq!(decided, again);
                return Ok(());
            }
            (world, decided) = (next, again);
        }
        prop_assert!(false, "somebody was served twice");
    }

    #[test]
    fn the_order_of_service_is_irrelevant_while_there_are_seats(
        mut world in random::world(),
        keys in prop::collection::vec(any::<u8>(), 8),
    ) {
        if world.terms != Terms::Atomic {
            world.terms = Terms::BestEffort;
        }
        for seats in world.seats.values_mut() {
            seats.enabled += 100;
        }
        let mut other = world.clone();
        other.order.turns.sort_by_key(|turn| keys[turn.index as usize]);
        let by_turn = |world: &World, decided: &Decided| {
            let turns = world.order.turns.iter().map(|turn| turn.index);
            turns.zip(decided.verdicts.clone()).collect::<BTreeMap<_, _>>()
        };
        let (one, two) = (world.decide(), other.decide());
        prop_assert_eq!(by_turn(&world, &one), by_turn(&other, &two));
        prop_assert_eq!((one.sums, one.reasons), (two.sums, two.reasons));
        prop_assert_eq!(world.digest(), other.digest());
    }

    #[test]
    fn it_is_irrelevant_how_a_batch_is_cut(world in random::world()) {
        let mut whole = world.clone();
        whole.cuts.clear();
        prop_assert_eq!(world.decide(), whole.decide());
        prop_assert_eq!(world.digest(), whole.digest());
    }

    #[test]
    fn as_many_seats_as_are_short_leave_nobody_without_and_one_less_leaves_some(
        mut world in random::world(),
    ) {
        if world.terms != Terms::Atomic {
            world.terms = Terms::BestEffort;
        }
        let decided = world.decide();
        let shortages = decided.sums.iter().map(|(id, sum)| (*id, sum.shortage));
        let shortages: Vec<_> = shortages.filter(|(_, shortage)| *shortage > 0).collect();
        for (product, shortage) in &shortages {
            world.seats.get_mut(product).expect("a license").enabled += shortage;
        }
        let enough = world.decide();
        prop_assert!(!enough.reasons.contains_key("SEATS_EXHAUSTED"), "{enough:?}");
        for (product, _) in shortages {
            let mut less = world.clone();
            less.seats.get_mut(&product).expect("a license").enabled -= 1;
            let verdicts = less.decide().verdicts;
            let mut reasons = verdicts.iter().flat_map(|verdict| &verdict.reasons);
            let short = |reason: &Reason| {
                matches!(reason, Reason::SeatsExhausted { product: p, .. } if *p == product)
            };
            prop_assert!(reasons.any(short));
        }
    }
}

/// What may differ when an order is decided again on what the first round left: who was served
/// finds it so; who was refused is refused for the same reasons, except that seats of a product
/// that somebody gave up, now or in the round before, may be there, and others may be gone.
fn compare_rounds(one: (&World, &Decided), two: (&World, &Decided)) -> Result<(), TestCaseError> {
    let mut freed = freed(one.0, one.1);
    if freed.is_empty() {
        let nobody = two
            .1
            .verdicts
            .iter()
            .all(|v| v.disposition != Disposition::Applied);
        prop_assert!(nobody, "no seat was freed, yet somebody is served");
    }
    freed.extend(self::freed(two.0, two.1));
    for (first, second) in one.1.verdicts.iter().zip(&two.1.verdicts) {
        if first.disposition != Disposition::Failed {
            prop_assert_eq!(second.disposition, Disposition::Unchanged);
            prop_assert_eq!(&first.held, &second.held);
            continue;
        }
        for reason in first
            .reasons
            .iter()
            .filter(|reason| !second.reasons.contains(reason))
        {
            match reason {
                Reason::SeatsExhausted { product, .. } if freed.contains(product) => {}
                _ => prop_assert!(false, "{reason:?} is gone"),
            }
        }
        for reason in second
            .reasons
            .iter()
            .filter(|reason| !first.reasons.contains(reason))
        {
            let seats = matches!(reason, Reason::SeatsExhausted { .. });
            prop_assert!(seats, "{reason:?} is new");
        }
    }
    Ok(())
}

/// The products that somebody gives up.
fn freed(world: &World, decided: &Decided) -> BTreeSet<ProductId> {
    let turns = world.order.turns.iter().zip(&decided.verdicts);
    let freed = turns.flat_map(|(turn, verdict)| missing(&world.held(turn.user), &verdict.held));
    freed.collect()
}

/// The products of the first that are not in the second.
fn missing(first: &Holdings, second: &Holdings) -> Vec<ProductId> {
    first
        .keys()
        .filter(|product| !second.contains_key(product))
        .copied()
        .collect()
}

#[test]
fn random_worlds_meet_every_outcome_often() {
    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..1000 {
        let world = random::world()
            .new_tree(&mut runner)
            .expect("a world")
            .current();
        let dispositions = ["applied", "unchanged", "failed", "skipped"];
        for line in text::show(&world, &world.decide()) {
            let words = line.split([' ', ':', ';']);
            let words = words.filter(|word| word.contains('_') || dispositions.contains(word));
            for word in words {
                *met.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
    let expected = "four dispositions and all reasons but PLAN_STALE";
    assert_eq!(met.len(), 18, "{expected}: {met:?}");
    assert!(met.values().all(|count| *count >= 30), "{met:?}");
    assert!(met["applied"] >= 400, "{met:?}");
}
