//! End to end: the real client against the real server, on every engine.

// What the tests stand on.
mod customer;
mod database;
mod fixtures;
mod harness;
mod process;

// What the service does.
mod assign;
mod plans;
mod reasons;
mod revoke;
mod seats;
