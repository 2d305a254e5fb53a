use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::world::{Decided, Holdings};
use super::{World, oracle, random, text};
use crate::domain::{Disposition, ProductId, Reason};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(512)))]

    #[test]
    fn the_oracle_agrees(world in random::world()) {
        prop_assert_eq!(world.decide(), oracle::judge(&world));
    }

    #[test]
    fn no_assignment_takes_a_seat_that_is_not_there(world in random::world()) {
        let decided = world.decide();
        let mut seats = world.seats.clone();
        for (turn, verdict) in world.order.turns.iter().zip(&decided.verdicts) {
            let before = world.held(turn.user);
            for product in missing(&verdict.held, &before) {
                let seats = seats.get_mut(&product).expect("a license");
                prop_assert!(seats.available() > 0, "{} got {product}", turn.name);
                seats.assigned += 1;
            }
            for product in missing(&before, &verdict.held) {
                seats.get_mut(&product).expect("a license").assigned -= 1;
            }
        }
        for (product, seats) in seats {
            let first = world.seats[&product];
            let delta = decided.seat_deltas.get(&product).copied().unwrap_or_default();
            prop_assert_eq!(first.assigned + delta, seats.assigned, "initial + gained - lost");
            prop_assert!(seats.assigned <= first.assigned.max(first.assignable()));
        }
    }

    #[test]
    fn an_order_given_again_serves_only_those_for_whom_a_seat_was_freed(world in random::world()) {
        let (mut world, mut decided) = (world.clone(), world.decide());
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
        prop_assert_eq!(&one.seat_deltas, &two.seat_deltas);
        prop_assert_eq!(by_turn(&world, &one), by_turn(&other, &two));
    }

    #[test]
    fn chunks_decide_as_the_whole_does(world in random::world(), size in 1_usize..5) {
        let whole = world.decide();
        let mut parts = Decided { verdicts: Vec::new(), seat_deltas: BTreeMap::new() };
        let mut now = world.clone();
        for turns in world.order.turns.chunks(size) {
            now.order.turns = turns.to_vec();
            let decided = now.decide();
            now = now.after(&decided);
            parts.verdicts.extend(decided.verdicts);
            for (product, delta) in decided.seat_deltas {
                *parts.seat_deltas.entry(product).or_default() += delta;
            }
        }
        parts.seat_deltas.retain(|_, delta| *delta != 0);
        prop_assert_eq!(whole, parts);
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
    for _ in 0..500 {
        let world = random::world()
            .new_tree(&mut runner)
            .expect("a world")
            .current();
        for line in text::show(&world, &world.decide()) {
            let words = line.split([' ', ':', ';']).filter(|word| {
                word.contains('_') || ["applied", "unchanged", "failed"].contains(word)
            });
            for word in words {
                *met.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
    assert_eq!(
        met.len(),
        15,
        "three dispositions and twelve reasons: {met:?}"
    );
    assert!(met.values().all(|count| *count >= 30), "{met:?}");
    assert!(met["applied"] >= 400, "{met:?}");
}
