//! The rules on small worlds written as text, and on random ones. Each is also judged by an oracle
//! that knows nothing of `decide`.

mod choices;
mod compliance;
mod deltas;
mod digest;
mod later_plans;
mod oracle;
mod properties;
mod random;
mod replace;
mod rules;
mod seats;
mod shortage;
mod suppliers;
mod terms;
mod text;
mod undo;
mod users;
mod world;

use world::{Decided, World};

/// Decides a world and compares: what becomes of each turn, one line each.
#[track_caller]
fn check(world: &str, expected: &str) {
    let world = text::parse(world);
    let decided = agreed(&world);
    assert_eq!(text::show(&world, &decided), lines(expected));
}

/// Decides a world and compares: the seats of each product that the batch is about, one line each.
#[track_caller]
fn check_seats(world: &str, expected: &str) {
    let decided = agreed(&text::parse(world));
    assert_eq!(text::show_seats(&decided), lines(expected));
}

/// What `decide` and the oracle both say.
#[track_caller]
fn agreed(world: &World) -> Decided {
    let decided = world.decide();
    let judged = oracle::judge(world);
    assert_eq!(judged, decided, "the oracle thinks otherwise");
    decided
}

fn lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect()
}
