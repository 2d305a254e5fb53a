//! Random worlds: small, crowded and full of rules, so that much goes wrong in them.

use proptest::collection::vec;
use proptest::option::weighted as some;
use proptest::prelude::*;

use super::text::{plan_id, product_id, user_id};
use super::world::{Bundle, Person, World};
use crate::domain::{
    Assign, Change, Country, LaterPlans, PlanChoice, PlanEdit, PlanId, ProductId, Replace, Rule,
    Seats, Terms, Turn, UserId,
};

const PRODUCTS: usize = 6;
/// Plans that products have; rules also name two that no product has.
const PLANS: u8 = 8;
const USERS: usize = 8;

pub(super) fn world() -> impl Strategy<Value = World> {
    let products = vec(product(), 1..=PRODUCTS);
    let users = vec(user(), 1..=USERS);
    let changes = vec(change(), 1..=4);
    let cuts = prop::collection::btree_set(1..USERS, 0..3);
    let parts = (products, vec(rule(), 0..8), changes, users);
    (parts, terms(), cuts).prop_map(|(parts, terms, cuts)| {
        let mut world = build(parts);
        world.terms = terms;
        if terms != Terms::Atomic {
            world.cuts = cuts;
        }
        world
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    prop_oneof![
        3 => Just(Terms::BestEffort),
        1 => (1_u32..4).prop_map(Terms::StopAfter),
        2 => Just(Terms::Atomic),
    ]
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
enum Ask {
    Set(Choice),
    Delta { enable: Mask, disable: Mask },
}

#[derive(Clone, Debug)]
enum Wish {
    Leave,
    Assign(Option<Ask>),
    Revoke,
    /// By the product so many places further on, if nothing else is wished of that.
    Replace(usize, Option<Ask>),
}

/// What is wished of each product, and which of the others are kept.
type Wishes = (Vec<Wish>, Option<Mask>);

#[derive(Clone, Debug)]
struct Sold {
    plans: Mask,
    retired: Mask,
    for_company: bool,
    later_plans: LaterPlans,
    decided: Option<LaterPlans>,
    license: Option<License>,
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

fn product() -> impl Strategy<Value = Sold> {
    let few = prop_oneof![2 => Just(0), 1 => any::<Mask>()];
    let company = prop::bool::weighted(0.05);
    let later = || prop_oneof![2 => Just(LaterPlans::On), 1 => Just(LaterPlans::Off)];
    let license = some(0.95, license());
    let parts = (
        any::<Mask>(),
        few,
        company,
        later(),
        some(0.3, later()),
        license,
    );
    parts.prop_map(
        |(plans, retired, for_company, later_plans, decided, license)| Sold {
            plans,
            retired: plans & retired,
            for_company,
            later_plans,
            decided,
            license,
        },
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

fn ask() -> impl Strategy<Value = Option<Ask>> {
    prop_oneof![
        3 => Just(None),
        2 => choice().prop_map(|choice| Some(Ask::Set(choice))),
        2 => (any::<Mask>(), any::<Mask>(), any::<Mask>()).prop_map(|(some, enable, disable)| {
            // Some of the plans, each on or off.
            let (enable, disable) = (some & enable, some & !enable & disable);
            Some(Ask::Delta { enable, disable })
        }),
    ]
}

fn change() -> impl Strategy<Value = Wishes> {
    let wish = prop_oneof![
        3 => Just(Wish::Leave),
        4 => ask().prop_map(Wish::Assign),
        2 => Just(Wish::Revoke),
        2 => (1..PRODUCTS, ask()).prop_map(|(by, plans)| Wish::Replace(by, plans)),
    ];
    (vec(wish, PRODUCTS), some(0.2, any::<Mask>()))
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

type Parts = (Vec<Sold>, Vec<Option<Rule>>, Vec<Wishes>, Vec<Drawn>);

fn build((products, rules, changes, mut users): Parts) -> World {
    let mut world = World {
        rules: rules.into_iter().flatten().collect(),
        ..World::default()
    };
    for (number, sold) in products.into_iter().enumerate() {
        let id = product_number(number);
        let bundle = Bundle {
            for_company: sold.for_company,
            later_plans: sold.later_plans,
            plans: of_mask(sold.plans).collect(),
            retired: of_mask(sold.retired).collect(),
        };
        world.products.insert(id, bundle);
        if let Some(decided) = sold.decided {
            world.later_plans.insert(id, decided);
        }
        if let Some((mut seats, suspended)) = sold.license {
            if suspended {
                (seats.enabled, seats.warning) = (0, 0);
            }
            world.seats.insert(id, seats);
        }
    }
    let changes = changes.into_iter().map(|wishes| wish(&world, wishes));
    world.order.changes = changes.collect();
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

fn wish(world: &World, (wishes, kept): Wishes) -> Change {
    let products: Vec<_> = world.products.keys().copied().collect();
    let mut left: Vec<_> = wishes.iter().map(|w| matches!(w, Wish::Leave)).collect();
    let mut change = Change::default();
    for (place, (&product, wish)) in products.iter().zip(wishes).enumerate() {
        match wish {
            Wish::Leave => {}
            Wish::Assign(plans) => {
                let plans = plans.and_then(|ask| edit(world, product, &ask));
                change.assign.push(Assign { product, plans });
            }
            Wish::Revoke => change.revoke.push(product),
            Wish::Replace(further, plans) => {
                let by = (place + further) % products.len();
                if std::mem::take(&mut left[by]) {
                    let by = products[by];
                    let plans = plans.and_then(|ask| edit(world, by, &ask));
                    change.replace.push(Replace { product, by, plans });
                }
            }
        }
    }
    change.revoke_others = kept.map(|kept| {
        let unnamed = products.iter().zip(left).enumerate();
        let kept = unnamed.filter(|(bit, (_, left))| *left && kept & (1 << bit) != 0);
        kept.map(|(_, (product, _))| *product).collect()
    });
    change
}

/// A request names no plans but those of the product, and a delta names some.
fn edit(world: &World, product: ProductId, ask: &Ask) -> Option<PlanEdit> {
    let plans = |mask| {
        let known = &world.products[&product].plans;
        let plans = of_mask(mask).filter(|plan| known.contains(plan));
        plans.collect::<Vec<_>>()
    };
    match ask {
        Ask::Set(choice) if choice.only => {
            Some(PlanEdit::Set(PlanChoice::Only(plans(choice.plans))))
        }
        Ask::Set(choice) => Some(PlanEdit::Set(PlanChoice::AllExcept(plans(choice.plans)))),
        Ask::Delta { enable, disable } => {
            let (enable, disable) = (plans(*enable), plans(*disable));
            let some = !(enable.is_empty() && disable.is_empty());
            some.then_some(PlanEdit::Delta { enable, disable })
        }
    }
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
