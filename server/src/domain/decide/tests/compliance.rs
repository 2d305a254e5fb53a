use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{Holdings, Person, World, number};
use super::{lines, oracle, random, text};
use crate::domain::{
    Change, Compliance, Disposition, Edit, Held, Order, PlanChoice, PlanId, ProductId, Reason,
    Seats, Terms, Turn, UserId, Violation, ViolationFilter,
};

/// The violations of each user, by one judge that is asked twice.
fn judge(world: &World) -> Vec<(UserId, Vec<Violation>)> {
    let catalogue = world.catalogue();
    let licensed = world.seats.keys().copied().collect();
    let mut choices = world.choices.clone();
    let mut compliance = Compliance::new(&catalogue, licensed);
    let mut violations = |person: &Person| {
        let held = person.held.iter().map(|(&product, choice)| {
            let choice = number(&mut choices, choice);
            Held { product, choice }
        });
        let held: Vec<Held> = held.collect();
        compliance.violations(&choices, person.location, &held)
    };
    let judged = world.users.iter().map(|(id, person)| {
        let found = violations(person);
        assert_eq!(violations(person), found, "it is remembered");
        (*id, found.to_vec())
    });
    judged.collect()
}

/// One line for each violation: the user, the code, the plans, and what has part in it.
#[track_caller]
fn check(world: &str, expected: &str) {
    let world = text::parse(world);
    let mut found = Vec::new();
    for (user, violations) in judge(&world) {
        for Violation { reason, products } in violations {
            let plans: Vec<String> = plans(&reason)
                .iter()
                .map(|plan| text::name(plan.0))
                .collect();
            let products: Vec<String> = products.iter().map(|id| text::name(id.0)).collect();
            let (user, code) = (text::name(user.0), reason.code());
            let (plans, products) = (plans.join(" "), products.join(" "));
            found.push(format!("{user} {code} {plans}: {products}"));
        }
    }
    assert_eq!(found, lines(expected));
}

fn plans(reason: &Reason) -> Vec<PlanId> {
    match reason {
        Reason::MutuallyExclusivePlans { plan, others } => {
            [std::slice::from_ref(plan), others].concat()
        }
        Reason::PrerequisiteMissing { plan, .. } | Reason::UsageLocationProhibited { plan, .. } => {
            vec![*plan]
        }
        _ => Vec::new(),
    }
}

#[test]
fn what_is_held_against_the_rules_is_told_rule_by_rule() {
    check(
        "
        product A a1 a2
        product B b1
        product C c1
        product D a1
        company E e1
        rule a1 excludes b1
        rule a1 excludes c1
        rule a2 requires c1
        rule b1 prohibited US
        user all NL A B C D
        user both NL A!a2 B
        user company NL E
        user lacks NL A
        user nowhere -- B C
        user off NL A!a1,a2 B
        user right NL B C
        user us US B
        ",
        "
        all MUTUALLY_EXCLUSIVE_PLANS a1 b1: A B D
        all MUTUALLY_EXCLUSIVE_PLANS a1 c1: A C D
        both MUTUALLY_EXCLUSIVE_PLANS a1 b1: A B
        company PRODUCT_NOT_FOR_USERS : E
        lacks PREREQUISITE_MISSING a2: A
        nowhere USAGE_LOCATION_MISSING : B C
        us USAGE_LOCATION_PROHIBITED b1: B
        ",
    );
}

#[test]
fn what_only_stands_against_getting_something_is_no_violation() {
    check(
        "
        product A a1 ~a2
        product B b1
        seats A 0 suspended 3
        seats B 0
        user gone NL inactive A B
        user holds NL A B
        user nothing --
        ",
        "",
    );
}

#[test]
fn a_retired_plan_is_ruled_for_who_has_it_on() {
    check(
        "
        product A ~a1
        product B b1
        rule a1 excludes b1
        user ada NL A B
        ",
        "ada MUTUALLY_EXCLUSIVE_PLANS a1 b1: A B",
    );
}

#[test]
fn a_filter_leaves_violations_that_meet_all_of_it() {
    let world = text::parse(
        "
        product A a1 a2
        product B b1
        product C c1
        rule a1 excludes b1
        rule a2 requires c1
        user ada -- A B
        ",
    );
    let [(_, violations)] = &judge(&world)[..] else {
        panic!("one user");
    };
    let any = ViolationFilter::default();
    let count = |filter: &ViolationFilter| {
        let met = violations.iter().filter(|one| filter.is_met(one));
        met.count()
    };
    let product = |name| ViolationFilter {
        product: Some(text::product_id(name)),
        ..any.clone()
    };
    let plan = |name| ViolationFilter {
        plan: Some(text::plan_id(name)),
        ..any.clone()
    };
    assert_eq!(count(&any), 3);
    assert_eq!(["A", "B", "C"].map(|name| count(&product(name))), [3, 2, 0]);
    let by_plan = ["a1", "a2", "b1", "c1"].map(|name| count(&plan(name)));
    assert_eq!(by_plan, [1, 1, 1, 0], "a plan that is missing is not on");
    let mut sum = 0;
    for code in Violation::CODES {
        sum += count(&ViolationFilter {
            code: Some(code),
            ..any.clone()
        });
    }
    assert_eq!(sum, 3, "each violation has one code");
    let both = ViolationFilter {
        code: Some("PREREQUISITE_MISSING"),
        ..plan("a1")
    };
    assert_eq!(count(&both), 0);
}

/// The world in which a user holds nothing, has what it takes to get anything, and gets exactly what
/// it held.
fn given_anew(world: &World, user: UserId) -> World {
    let mut world = world.clone();
    let person = world.users.get_mut(&user).expect("a user");
    person.active = true;
    let held = std::mem::take(&mut person.held);
    let edits = held.iter().map(|(&product, choice)| Edit {
        product,
        before: Some(number(&mut world.choices, choice)),
        after: None,
    });
    let undo = crate::domain::Undo {
        edits: edits.collect(),
        takes_safe_part: false,
    };
    let change = Change {
        undo: Some(undo),
        ..Change::default()
    };
    let turn = Turn {
        index: 0,
        user: Some(user),
        name: String::new(),
        change: 0,
    };
    world.order = Order {
        changes: vec![change],
        turns: vec![turn],
    };
    world.cuts = BTreeSet::new();
    world.terms = Terms::BestEffort;
    for seats in world.seats.values_mut() {
        *seats = Seats {
            enabled: 1_000,
            ..Seats::default()
        };
    }
    world
}

/// Reasons rule by rule, in no particular order.
fn rule_by_rule(reasons: &[Reason]) -> BTreeSet<Reason> {
    let single = |reason: &Reason| match reason {
        Reason::MutuallyExclusivePlans { plan, others } => {
            let one = |other: &PlanId| Reason::MutuallyExclusivePlans {
                plan: *plan,
                others: vec![*other],
            };
            others.iter().map(one).collect()
        }
        reason => vec![reason.clone()],
    };
    reasons.iter().flat_map(single).collect()
}

/// Which products have one of these plans on.
fn partakers(world: &World, held: &Holdings, reason: &Reason) -> Vec<ProductId> {
    let plans = plans(reason);
    let has_part = |(product, choice): &(&ProductId, &PlanChoice)| match reason {
        Reason::UsageLocationMissing => true,
        Reason::ProductNotForUsers { product: one } => one == *product,
        _ => {
            let on = oracle::plans_of(world, **product, choice);
            plans.iter().any(|plan| on.contains(plan))
        }
    };
    let partakers = held.iter().filter(has_part);
    partakers.map(|(product, _)| *product).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(512)))]

    #[test]
    fn what_is_held_is_judged_as_if_it_were_given_anew(world in random::world()) {
        for (user, violations) in judge(&world) {
            let held = &world.users[&user].held;
            let decided = given_anew(&world, user).decide();
            let verdict = &decided.verdicts[0];
            let found: Vec<Reason> = violations.iter().map(|one| one.reason.clone()).collect();
            prop_assert_eq!(rule_by_rule(&verdict.reasons), found.iter().cloned().collect());
            prop_assert_eq!(rule_by_rule(&found).len(), found.len(), "each rule once");
            if found.is_empty() && !held.is_empty() {
                prop_assert_eq!(verdict.disposition, Disposition::Applied);
                prop_assert_eq!(&verdict.held, held);
            }
            for violation in &violations {
                prop_assert!(Violation::CODES.contains(&violation.reason.code()));
                let partakers = partakers(&world, held, &violation.reason);
                prop_assert_eq!(&violation.products, &partakers);
            }
        }
    }
}
