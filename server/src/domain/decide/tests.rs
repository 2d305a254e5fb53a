//! The rules on small worlds written as text, and on random ones. Each is also judged by an oracle
//! that knows nothing of `decide`.

mod choices;
mod oracle;
mod properties;
mod random;
mod rules;
mod seats;
mod text;
mod users;
mod world;

use world::World;

/// Decides a world and compares: what becomes of each turn, one line each.
#[track_caller]
fn check(world: &str, expected: &str) {
    let world = text::parse(world);
    let decided = world.decide();
    let expected: Vec<_> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(text::show(&world, &decided), expected);
    assert_eq!(
        oracle::judge(&world),
        decided,
        "the oracle thinks otherwise"
    );
}
