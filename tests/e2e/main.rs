//! End to end: the real client against the real server, on every engine.

// What the tests stand on.
mod authority;
mod backdate;
mod customer;
mod database;
mod fixtures;
mod harness;
mod process;
mod raw;

// What the service does.
mod assign;
mod catalogue;
mod change;
mod compliance;
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
mod retention;
mod revoke;
mod seats;
mod selections;
mod streams;
mod text;
mod tls;
mod watch;
