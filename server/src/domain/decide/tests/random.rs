//! Random worlds: small, crowded and full of rules, so that much goes wrong in them.

use proptest::collection::vec;
use proptest::option::weighted as some;
use proptest::prelude::*;

use super::text::{plan_id, product_id, user_id};
use super::world::{Bundle, Person, World};
use crate::domain::{
    Assign, Change, Country, PlanChoice, PlanEdit, PlanId, ProductId, Rule, Seats, Turn, UserId,
};

const PRODUCTS: usize = 6;
/// Plans that products have; rules also name two that no product has.
const PLANS: u8 = 8;
const USERS: usize = 8;

pub(super) fn world() -> impl Strategy<Value = World> {
    let products = vec(product(), 1..=PRODUCTS);
    let users = vec(user(), 1..=USERS);
    (products, vec(rule(), 0..8), vec(change(), 1..=4), users).prop_map(build)
}

type License = (Seats, bool);

/// A set of plans, one bit each.
type Mask = u8;

#[derive(Clone, Debug)]
struct Choice {
    only: bool,
    plans: Mask,
}

#[derive(Clone, Debug)]
enum Wish {
    Leave,
    Assign(Option<Choice>),
    Revoke,
}

#[derive(Clone, Debug)]
enum Fate {
    Found,
    Vanished,
    Unresolved,
}

#[derive(Clone, Debug)]
struct Drawn {
    location: Option<Country>,
    active: bool,
    held: Vec<Option<Choice>>,
    fate: Fate,
    /// Where in the order of service.
    rank: u16,
    change: u8,
}

fn product() -> impl Strategy<Value = (Mask, Mask, bool, Option<License>)> {
    let few = prop_oneof![2 => Just(0), 1 => any::<Mask>()];
    (
        any::<Mask>(),
        few,
        prop::bool::weighted(0.05),
        some(0.95, license()),
    )
}

/// The seats, and whether everything in use was cancelled. The count of assigned seats is at first
/// that of holders outside.
fn license() -> impl Strategy<Value = License> {
    let counts = (0_i64..8, 0_i64..2, 0_i64..3, 0_i64..3);
    let seats = counts.prop_map(|(enabled, warning, suspended, assigned)| Seats {
        enabled,
        warning,
        suspended,
        assigned,
    });
    (seats, prop::bool::weighted(0.1))
}

fn country() -> impl Strategy<Value = Country> {
    prop::sample::select(vec!["NL", "US"])
        .prop_map(|code| Country::parse(code).expect("two letters"))
}

fn rule() -> impl Strategy<Value = Option<Rule>> {
    let plan = || (0..PLANS + 2).prop_map(plan_number);
    prop_oneof![
        1 => (plan(), plan()).prop_map(|(a, b)| {
            let (plan, other) = (a.min(b), a.max(b));
            (plan < other).then_some(Rule::Excludes { plan, other })
        }),
        2 => (plan(), prop::collection::btree_set(plan(), 1..3)).prop_map(|(plan, others)| {
            let others = others.into_iter().collect();
            Some(Rule::RequiresAnyOf { plan, others })
        }),
        1 => (plan(), country())
            .prop_map(|(plan, country)| Some(Rule::ProhibitedIn { plan, country })),
    ]
}

fn choice() -> impl Strategy<Value = Choice> {
    let plans = prop_oneof![1 => Just(0), 3 => any::<Mask>()];
    (any::<bool>(), plans).prop_map(|(only, plans)| Choice { only, plans })
}

fn change() -> impl Strategy<Value = Vec<Wish>> {
    let wish = prop_oneof![
        3 => Just(Wish::Leave),
        2 => Just(Wish::Assign(None)),
        2 => choice().prop_map(|choice| Wish::Assign(Some(choice))),
        3 => Just(Wish::Revoke),
    ];
    vec(wish, PRODUCTS)
}

fn user() -> impl Strategy<Value = Drawn> {
    let fate = prop_oneof![
        18 => Just(Fate::Found),
        1 => Just(Fate::Vanished),
        1 => Just(Fate::Unresolved),
    ];
    let person = (
        some(0.9, country()),
        prop::bool::weighted(0.9),
        vec(some(0.5, choice()), PRODUCTS),
    );
    (person, fate, any::<u16>(), any::<u8>()).prop_map(|(person, fate, rank, change)| {
        let (location, active, held) = person;
        Drawn {
            location,
            active,
            held,
            fate,
            rank,
            change,
        }
    })
}

type Parts = (
    Vec<(Mask, Mask, bool, Option<License>)>,
    Vec<Option<Rule>>,
    Vec<Vec<Wish>>,
    Vec<Drawn>,
);

fn build((products, rules, changes, mut users): Parts) -> World {
    let mut world = World {
        rules: rules.into_iter().flatten().collect(),
        ..World::default()
    };
    for (number, (plans, retired, for_company, license)) in products.into_iter().enumerate() {
        let (plans, retired) = (of_mask(plans).collect(), of_mask(plans & retired).collect());
        world.products.insert(
            product_number(number),
            Bundle {
                for_company,
                plans,
                retired,
            },
        );
        if let Some((mut seats, suspended)) = license {
            if suspended {
                (seats.enabled, seats.warning) = (0, 0);
            }
            world.seats.insert(product_number(number), seats);
        }
    }
    world.order.changes = changes
        .into_iter()
        .map(|wishes| wish(&world, wishes))
        .collect();
    users.sort_by_key(|user| user.rank);
    for (index, user) in users.into_iter().enumerate() {
        let id = user_number(user.rank, index);
        let turn = Turn {
            index: u32::try_from(index).expect("few users"),
            user: (!matches!(user.fate, Fate::Unresolved)).then_some(id),
            name: format!("u{index}"),
            change: u32::from(user.change) % u32::try_from(world.order.changes.len()).expect("few"),
        };
        world.order.turns.push(turn);
        if matches!(user.fate, Fate::Found) {
            settle(&mut world, id, user);
        }
    }
    world
}

fn wish(world: &World, wishes: Vec<Wish>) -> Change {
    let mut change = Change::default();
    for (&product, wish) in world.products.keys().zip(wishes) {
        match wish {
            Wish::Leave => {}
            Wish::Assign(plans) => {
                let mut plans = plans.map(|choice| plan_choice(&choice));
                if let Some(PlanChoice::Only(plans)) = &mut plans {
                    // A request that names other plans is not accepted.
                    plans.retain(|plan| world.products[&product].plans.contains(plan));
                }
                let plans = plans.map(PlanEdit::Set);
                change.assign.push(Assign { product, plans });
            }
            Wish::Revoke => change.revoke.push(product),
        }
    }
    change
}

/// Gives the user what it holds, as far as that is licensed.
fn settle(world: &mut World, id: UserId, user: Drawn) {
    let mut person = Person {
        location: user.location,
        active: user.active,
        held: Default::default(),
    };
    for (&product, choice) in world.products.keys().zip(&user.held) {
        if let (Some(choice), Some(seats)) = (choice, world.seats.get_mut(&product)) {
            seats.assigned += 1;
            person.held.insert(product, plan_choice(choice));
        }
    }
    world.users.insert(id, person);
}

fn plan_choice(choice: &Choice) -> PlanChoice {
    let plans = of_mask(choice.plans).collect();
    if choice.only {
        PlanChoice::Only(plans)
    } else {
        PlanChoice::AllExcept(plans)
    }
}

fn of_mask(mask: Mask) -> impl Iterator<Item = PlanId> {
    (0..PLANS)
        .filter(move |bit| mask & (1 << bit) != 0)
        .map(plan_number)
}

fn plan_number(number: u8) -> PlanId {
    plan_id(&format!("p{number}"))
}

fn product_number(number: usize) -> ProductId {
    product_id(&format!("P{number}"))
}

/// Ids in another order than that of service.
fn user_number(rank: u16, index: usize) -> UserId {
    user_id(&format!("{}u{index}", rank % 10))
}
