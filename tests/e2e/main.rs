//! End to end: the real client against the real server, on every engine.

// What the tests stand on.
mod authority;
mod backdate;
mod colleague;
mod customer;
mod database;
mod fixtures;
mod harness;
#[path = "../issuer.rs"]
#[expect(
    dead_code,
    reason = "some answers are for the tests of the server alone"
)]
mod issuer;
mod log;
mod process;
mod raw;

// What the service does.
mod access;
mod assign;
mod catalogue;
mod change;
mod compliance;
mod config;
mod crash;
mod earlier;
mod history;
mod holdings;
mod input;
mod large;
mod later_plans;
mod lists;
mod lists_pages;
mod lists_users;
mod model;
mod page;
mod plans;
mod postgres;
mod real_catalogue;
mod reasons;
mod replay;
mod request_log;
mod retention;
mod revoke;
mod rights;
mod seats;
mod selections;
mod startup;
mod streams;
mod text;
mod tls;
mod tokens;
mod watch;
