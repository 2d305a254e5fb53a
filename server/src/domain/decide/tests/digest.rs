use proptest::prelude::*;

use super::text::{self, user_id};
use super::{World, random};
use crate::domain::{Country, Digest, Order, PlanChoice, Seats, Snapshot, UserState, decide};

const WORLD: &str = "
    product A a1 a2
    product B b1
    product C c1
    product S s1
    product E
    product F
    seats A 5
    rule a2 prohibited US
    rule c1 requires s1
    user ada NL A=a1
    user bob NL
    user cyd US B
    user dee NL E=
    user eve NL A=a1
    turn ada +A -B
    turn bob +A
    turn cyd +A -B
    turn dee +C
    turn eve +A!
    ";

fn digest(text: &str) -> Digest {
    text::parse(text).digest()
}

/// The digest of the world with one thing said otherwise.
#[track_caller]
fn digest_with(from: &str, to: &str) -> Digest {
    assert_eq!(WORLD.matches(from).count(), 1, "{from} is there once");
    digest(&WORLD.replace(from, to))
}

#[test]
fn what_the_preview_showed_is_in_the_digest() {
    let others = [
        // The user.
        ("user bob NL", "user bob US"),
        ("user bob NL", "user bob --"),
        ("user bob NL", "user bob NL inactive"),
        ("user bob NL", "user bob NL B"),
        ("user bob NL", "user bob NL A"),
        ("user bob NL\n", "\n"),
        ("user ada NL A=a1", "user ada NL A!a2"),
        ("user ada NL A=a1", "user ada NL A"),
        ("turn bob +A", "turn zed +A \n user zed NL"),
        ("user ada NL A=a1", "user ada -- A=a1"),
        ("user ada NL A=a1", "user ada NL inactive A=a1"),
        ("user eve NL A=a1", "user eve NL A=a2"),
        ("user dee NL E=", "user dee NL E"),
        ("user dee NL E=", "user dee NL F="),
        ("user dee NL E=", "user dee NL B"),
        ("user dee NL E=", "user dee NL B!b1"),
        // What becomes of it.
        ("turn ada +A", "turn ada +A!a1"),
        ("turn bob +A", "turn bob +A=a1"),
        ("turn bob +A", "turn bob +B"),
        ("seats A 5", "seats A 0"),
        ("seats A 5", "seats A 0 suspended 3"),
        ("rule a2 prohibited US", ""),
        ("rule a2 prohibited US", "rule a2 prohibited NL"),
        ("rule c1 requires s1", "rule c1 requires b1"),
        ("seats A 5", "later A off"),
        ("seats A 5", "terms stop 1"),
        ("seats A 5", "terms atomic"),
        // What a choice means.
        ("product A a1 a2", "product A a1 a2 a3"),
        ("product A a1 a2", "product A a1 ~a2"),
    ];
    let mut known = vec![digest(WORLD)];
    for (from, to) in others {
        let digest = digest_with(from, to);
        assert!(!known.contains(&digest), "{from:?} became {to:?}");
        known.push(digest);
    }
}

#[test]
fn what_decides_nothing_is_not_in_the_digest() {
    let others = [
        ("seats A 5", "seats A 9"),
        ("seats A 5", "seats A 6 others 1 warning 2 suspended 1"),
        ("seats A 5", "seats B 3 others 1"),
        ("seats A 5", "rule b1 prohibited FR"),
        ("seats A 5", "override A on"),
        ("seats A 5", "terms stop 3"),
        ("seats A 5", "product D a1"),
        ("seats A 5", "unlicensed S"),
        ("turn bob +A", "turn bob +A -B"),
        ("turn bob +A", "turn bob +A!"),
        ("turn bob +A", "user zed NL A \n turn bob +A"),
    ];
    let same = digest(WORLD);
    for (from, to) in others {
        assert_eq!(digest_with(from, to), same, "{from:?} became {to:?}");
    }
}

#[test]
fn the_place_in_the_request_is_in_the_digest() {
    let mut world = text::parse(WORLD);
    world.order.turns[0].index = 7;
    assert_ne!(world.digest(), digest(WORLD));
}

#[test]
fn users_who_are_alike_do_not_cancel_out() {
    let world = |users: &[&str]| {
        let turns = users
            .iter()
            .map(|user| format!("user {user} NL\n turn {user} +A\n"));
        digest(&format!("product A a1\n{}", turns.collect::<String>()))
    };
    let digests = [&["ada"][..], &["ada", "bob"], &["ada", "bob", "cyd"]].map(world);
    assert!(!digests.contains(&Digest::default()));
    assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2]);
}

#[test]
fn a_sum_of_digests_carries_from_byte_to_byte() {
    let number = |low: u8, high: u8| {
        let mut bytes = [0; 32];
        (bytes[0], bytes[1]) = (low, high);
        Digest(bytes)
    };
    let mut sum = number(200, 1);
    sum.add(number(100, 2));
    assert_eq!(sum, number(44, 4));
    let mut most = Digest([255; 32]);
    most.add(number(1, 0));
    assert_eq!(most, Digest::default(), "the last carry is dropped");
}

/// The digest of a world whose snapshot or order is altered before it is decided.
fn altered(world: &World, alter: impl FnOnce(&mut Snapshot, &mut Order)) -> Digest {
    let (mut snapshot, mut order, catalogue) =
        (world.snapshot(), world.order.clone(), world.catalogue());
    alter(&mut snapshot, &mut order);
    let plan = decide(&catalogue, &snapshot, &order, world.terms);
    Digest::of(&catalogue, &snapshot, &order, &plan)
}

#[test]
fn names_are_not_in_the_digest() {
    let renamed = altered(&text::parse(WORLD), |snapshot, order| {
        for UserState {
            principal_name,
            display_name,
            ..
        } in snapshot.users.values_mut()
        {
            principal_name.push('x');
            display_name.push('x');
        }
        order.turns[0].name.push('x');
    });
    assert_eq!(renamed, digest(WORLD));
}

proptest! {
    #[test]
    fn the_digest_differs_where_an_outcome_differs_and_only_there(
        world in random::world(),
        more in prop::collection::vec(0_i64..4, 6),
    ) {
        let mut other = world.clone();
        for (seats, more) in other.seats.values_mut().zip(more) {
            *seats = Seats { enabled: seats.enabled + more, ..*seats };
        }
        let alike = world.decide().verdicts == other.decide().verdicts;
        prop_assert_eq!(world.digest() == other.digest(), alike);
    }

    #[test]
    fn the_digest_differs_where_a_user_differs(world in random::world(), which in any::<prop::sample::Index>()) {
        let turns = world.order.turns.iter().filter_map(|turn| turn.user);
        let served: Vec<_> = turns.filter(|user| world.users.contains_key(user)).collect();
        prop_assume!(!served.is_empty());
        let id = which.get(&served);
        let digest = world.digest();
        let mut other = world.clone();
        let user = |world: &mut World, alter: &dyn Fn(&mut super::world::Person)| {
            alter(world.users.get_mut(id).expect("a user"));
            world.digest()
        };
        prop_assert_ne!(user(&mut other, &|user| user.active = !user.active), digest);
        other = world.clone();
        let elsewhere = Country::parse("FR").ok();
        prop_assert_ne!(user(&mut other, &|user| user.location = elsewhere), digest);
        for product in world.users[id].held.keys() {
            other = world.clone();
            let choice = PlanChoice::Only(vec![text::plan_id("new")]);
            let choose = user(&mut other, &|user| drop(user.held.insert(*product, choice.clone())));
            prop_assert_ne!(choose, digest);
            other = world.clone();
            prop_assert_ne!(user(&mut other, &|user| drop(user.held.remove(product))), digest);
        }
        // Nobody else is looked at.
        let mut other = world.clone();
        let stranger = other.users[id].clone();
        other.users.insert(user_id("stranger"), stranger);
        prop_assert_eq!(other.digest(), digest);
    }
}
