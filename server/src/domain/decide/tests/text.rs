//! Worlds as text, one statement per line:
//!
//! ```text
//! product A a1 a2 ~a3           a product with 9 seats and its plans; a3 is retired
//! company C c1                  a product that no user can hold
//! seats A 2 others 1            2 seats enabled, 1 held by users who are not in this world;
//!                               also `warning 1` and `suspended 1`
//! unlicensed A                  no license at all
//! rule a1 excludes b1           also `requires b1 b2` (any of) and `prohibited NL`
//! later A off                   plans added to A later are off for who is given all; `on` by default
//! override A on                 so says the customer, whatever the product does
//! terms stop 2                  the rest is skipped after 2 failures; also `terms atomic`
//! user ada NL A B=b1 C!c1       holds A with all plans, B with only b1, C with all but c1;
//!                               the location may be `--`, after it may stand `inactive`
//! turn ada +A +B! +C=c1 -D      assigns A, B with an explicit "all", C with only c1; revokes D
//! turn ada +A:+a1,-a2           assigns A, with a1 turned on and a2 turned off
//! turn ada A>B A>C=c1 D>E:-e1   replaces A by B, or by C with only c1, and D by E with e1 off
//! turn ada +A -*!B,C            revokes all that is not named, but for B and C; `-*` keeps none
//! turn ada ~A:!:- ~B:-:=b1       takes back that A was given with all, and B taken that had only b1;
//!                               `~~` takes back what is as it was left if the rest is not
//! turn ?zed +A                  nobody of that name was found
//! cut                           another order of the same batch begins
//! ```
//!
//! A name is its own id, so ids sort as names do.

use uuid::Uuid;

use super::world::{Bundle, Decided, Holdings, Person, World, number};
use crate::domain::{
    Assign, Change, Choices, Country, Disposition, Edit, LaterPlans, PlanChoice, PlanEdit, PlanId,
    ProductId, Reason, Replace, Rule, Seats, Terms, Turn, Undo, UserId,
};

pub(super) fn parse(text: &str) -> World {
    let mut world = World::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            [verb @ ("product" | "company"), name, plans @ ..] => {
                let bundle = bundle(*verb == "company", plans);
                world.products.insert(product_id(name), bundle);
                world.seats.insert(
                    product_id(name),
                    Seats {
                        enabled: 9,
                        ..Seats::default()
                    },
                );
            }
            ["seats", product, counts @ ..] => {
                world.seats.insert(product_id(product), seats(counts));
            }
            ["unlicensed", product] => {
                world.seats.remove(&product_id(product));
            }
            ["later", product, word] => {
                let product = world.products.get_mut(&product_id(product));
                product.expect("a product").later_plans = later_plans(word);
            }
            ["override", product, word] => {
                let decided = later_plans(word);
                world.later_plans.insert(product_id(product), decided);
            }
            ["terms", "atomic"] => world.terms = Terms::Atomic,
            ["terms", "stop", failures] => {
                world.terms = Terms::StopAfter(failures.parse().expect("a number"));
            }
            ["cut"] => drop(world.cuts.insert(world.order.turns.len())),
            ["rule", plan, words @ ..] => {
                world.rules.insert(rule(plan_id(plan), words));
            }
            ["user", name, location, words @ ..] => {
                let (active, held) = match words {
                    ["inactive", held @ ..] => (false, held),
                    held => (true, held),
                };
                let held = held.iter().map(|text| holding(text)).collect();
                let location = Country::parse(location).ok();
                world.users.insert(
                    user_id(name),
                    Person {
                        location,
                        active,
                        held,
                    },
                );
            }
            ["turn", name, wishes @ ..] => turn(&mut world, name, wishes),
            _ => panic!("what is {line:?}?"),
        }
    }
    for product in world.users.values().flat_map(|user| user.held.keys()) {
        world
            .seats
            .get_mut(product)
            .expect("what is held has a license")
            .assigned += 1;
    }
    world
}

fn bundle(for_company: bool, plans: &[&str]) -> Bundle {
    let retired = plans.iter().filter_map(|plan| plan.strip_prefix('~'));
    let plans = plans.iter().map(|plan| plan.trim_start_matches('~'));
    Bundle {
        for_company,
        later_plans: LaterPlans::On,
        plans: plans.map(plan_id).collect(),
        retired: retired.map(plan_id).collect(),
    }
}

fn seats(words: &[&str]) -> Seats {
    let mut seats = Seats {
        enabled: count(words[0]),
        ..Seats::default()
    };
    for pair in words[1..].chunks(2) {
        let field = match pair[0] {
            "warning" => &mut seats.warning,
            "suspended" => &mut seats.suspended,
            "others" => &mut seats.assigned,
            word => panic!("what are {word} seats?"),
        };
        *field = count(pair[1]);
    }
    seats
}

fn later_plans(word: &str) -> LaterPlans {
    match word {
        "on" => LaterPlans::On,
        "off" => LaterPlans::Off,
        _ => panic!("are they on or off? {word}"),
    }
}

fn count(word: &str) -> i64 {
    word.parse().expect("a number")
}

fn rule(plan: PlanId, words: &[&str]) -> Rule {
    match words {
        ["excludes", other] => Rule::Excludes {
            plan,
            other: plan_id(other),
        },
        ["requires", others @ ..] => {
            let others = others.iter().map(|other| plan_id(other)).collect();
            Rule::RequiresAnyOf { plan, others }
        }
        ["prohibited", country] => {
            let country = Country::parse(country).expect("a country");
            Rule::ProhibitedIn { plan, country }
        }
        _ => panic!("what is the rule {words:?}?"),
    }
}

fn turn(world: &mut World, name: &str, wishes: &[&str]) {
    let mut change = Change::default();
    for wish in wishes {
        if let Some(wish) = wish.strip_prefix('~') {
            let undo = change.undo.get_or_insert(Undo {
                edits: Vec::new(),
                takes_safe_part: wish.starts_with('~'),
            });
            let edit = edit(&mut world.choices, wish.trim_start_matches('~'));
            undo.edits.push(edit);
        } else if let Some(kept) = wish.strip_prefix("-*") {
            let kept = kept.trim_start_matches('!').split(',');
            let kept = kept.filter(|name| !name.is_empty()).map(product_id);
            change.revoke_others = Some(kept.collect());
        } else if let Some(product) = wish.strip_prefix('-') {
            change.revoke.push(product_id(product));
        } else if let Some(wish) = wish.strip_prefix('+') {
            let (product, plans) = asked(wish);
            change.assign.push(Assign { product, plans });
        } else {
            let (product, by) = wish.split_once('>').expect("+, - or >");
            let ((by, plans), product) = (asked(by), product_id(product));
            change.replace.push(Replace { product, by, plans });
        }
    }
    let changes = &mut world.order.changes;
    let place = changes
        .iter()
        .position(|known| *known == change)
        .unwrap_or(changes.len());
    if place == changes.len() {
        changes.push(change);
    }
    world.order.turns.push(Turn {
        index: u32::try_from(world.order.turns.len()).expect("few turns"),
        user: (!name.starts_with('?')).then(|| user_id(name)),
        name: name.to_owned(),
        change: u32::try_from(place).expect("few changes"),
    });
}

/// What a batch did: product, choice after, choice before.
fn edit(choices: &mut Choices, text: &str) -> Edit {
    let words: Vec<_> = text.split(':').collect();
    let mut choice = |word: &str| {
        let (_, choice) = holding(&format!("{}{word}", words[0]));
        (word != "-").then(|| number(choices, &choice))
    };
    let (after, before) = (choice(words[1]), choice(words[2]));
    Edit {
        product: product_id(words[0]),
        before,
        after,
    }
}

fn asked(text: &str) -> (ProductId, Option<PlanEdit>) {
    if let Some((product, plans)) = text.split_once(':') {
        let of = |sign| {
            let plans = plans.split(',').filter_map(|plan| plan.strip_prefix(sign));
            plans.map(plan_id).collect()
        };
        let (enable, disable) = (of('+'), of('-'));
        return (
            product_id(product),
            Some(PlanEdit::Delta { enable, disable }),
        );
    }
    let (product, choice) = holding(text);
    let plans = text.contains(['=', '!']).then_some(PlanEdit::Set(choice));
    (product, plans)
}

fn holding(text: &str) -> (ProductId, PlanChoice) {
    let end = text.find(['=', '!']).unwrap_or(text.len());
    let names = text[end..]
        .get(1..)
        .unwrap_or_default()
        .split(',')
        .filter(|name| !name.is_empty());
    let plans = names.map(plan_id).collect();
    let only = text[end..].starts_with('=');
    let choice = if only {
        PlanChoice::Only(plans)
    } else {
        PlanChoice::AllExcept(plans)
    };
    (product_id(&text[..end]), choice)
}

/// What became of each turn: the user, the disposition, and the changes or the reasons.
pub(super) fn show(world: &World, decided: &Decided) -> Vec<String> {
    let turns = world.order.turns.iter().zip(&decided.verdicts);
    let line = turns.map(|(turn, verdict)| match verdict.disposition {
        Disposition::Applied => {
            let mut words = edits(&world.held(turn.user), &verdict.held);
            words.extend(verdict.reasons.iter().map(reason));
            format!("{} applied: {}", turn.name, words.join(" "))
        }
        Disposition::Unchanged => format!("{} unchanged", turn.name),
        Disposition::Failed => {
            let mut reasons: Vec<_> = verdict.reasons.iter().map(reason).collect();
            reasons.sort();
            format!("{} failed: {}", turn.name, reasons.join("; "))
        }
        Disposition::Skipped => {
            let reasons: Vec<_> = verdict.reasons.iter().map(reason).collect();
            format!("{} skipped: {}", turn.name, reasons.join("; "))
        }
    });
    line.collect()
}

/// The seats of each product that the batch is about: assigned before and after, and how many are
/// short.
pub(super) fn show_seats(decided: &Decided) -> Vec<String> {
    let line = decided.sums.iter().map(|(product, sum)| {
        let (before, after) = (sum.before.assigned, sum.after.assigned);
        let (product, total) = (name(product.0), sum.before.assignable());
        match sum.shortage {
            0 => format!("{product} {before} -> {after} of {total}"),
            short => format!("{product} {before} -> {after} of {total}, {short} short"),
        }
    });
    line.collect()
}

/// By product: `+A` gained, `-A` lost, `A=a1` kept with other plans.
fn edits(before: &Holdings, after: &Holdings) -> Vec<String> {
    let mut edits = Vec::new();
    for (&product, choice) in before {
        match after.get(&product) {
            Some(same) if same == choice => {}
            Some(other) => edits.push(format!("{}{}", name(product.0), plans(other))),
            None => edits.push(format!("-{}", name(product.0))),
        }
    }
    for (product, choice) in after
        .iter()
        .filter(|(product, _)| !before.contains_key(product))
    {
        edits.push(format!("+{}{}", name(product.0), plans(choice)));
    }
    edits
}

fn plans(choice: &PlanChoice) -> String {
    match choice {
        PlanChoice::AllExcept(plans) => format!("!{}", list(plans, ",")),
        PlanChoice::Only(plans) => format!("={}", list(plans, ",")),
    }
}

fn list(plans: &[PlanId], separator: &str) -> String {
    plans
        .iter()
        .map(|plan| name(plan.0))
        .collect::<Vec<_>>()
        .join(separator)
}

fn reason(reason: &Reason) -> String {
    use Reason::*;
    let of = |plan: &PlanId, list: String| format!("{} {list}", name(plan.0));
    match reason {
        SeatsExhausted { product, available } => {
            format!("SEATS_EXHAUSTED {} {available}", name(product.0))
        }
        MutuallyExclusivePlans { plan, others } => {
            format!("MUTUALLY_EXCLUSIVE_PLANS {}", of(plan, list(others, " ")))
        }
        PrerequisiteMissing { plan, any_of, .. } => {
            format!("PREREQUISITE_MISSING {}", of(plan, list(any_of, "|")))
        }
        DependentPlanRemains { plan, any_of } => {
            format!("DEPENDENT_PLAN_REMAINS {}", of(plan, list(any_of, "|")))
        }
        UsageLocationMissing => "USAGE_LOCATION_MISSING".to_owned(),
        UsageLocationProhibited { plan, country } => {
            format!(
                "USAGE_LOCATION_PROHIBITED {} {}",
                name(plan.0),
                country.as_str()
            )
        }
        ProductNotLicensed { product } => format!("PRODUCT_NOT_LICENSED {}", name(product.0)),
        ProductNotForUsers { product } => format!("PRODUCT_NOT_FOR_USERS {}", name(product.0)),
        LicenseSuspended { product } => format!("LICENSE_SUSPENDED {}", name(product.0)),
        PlanNotInProduct { product, plan } => {
            format!("PLAN_NOT_IN_PRODUCT {} {}", name(product.0), name(plan.0))
        }
        UserNotFound => "USER_NOT_FOUND".to_owned(),
        StoppedAfterFailures => "STOPPED_AFTER_FAILURES".to_owned(),
        BatchRolledBack => "BATCH_ROLLED_BACK".to_owned(),
        PlanStale => "PLAN_STALE".to_owned(),
        BatchCancelled => "BATCH_CANCELLED".to_owned(),
        AccessLost => "ACCESS_LOST".to_owned(),
        ChangedSince { product, .. } => format!("CHANGED_SINCE {}", name(product.0)),
        UserInactive => "USER_INACTIVE".to_owned(),
    }
}

pub(super) fn product_id(name: &str) -> ProductId {
    ProductId(id(name))
}

pub(super) fn plan_id(name: &str) -> PlanId {
    PlanId(id(name))
}

pub(super) fn user_id(name: &str) -> UserId {
    UserId(id(name))
}

fn id(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Uuid::from_bytes(bytes)
}

pub(super) fn name(id: Uuid) -> String {
    let text = str::from_utf8(id.as_bytes()).expect("a name");
    text.trim_end_matches('\0').to_owned()
}
