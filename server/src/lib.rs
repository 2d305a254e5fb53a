//! Seatwise server.
pub mod domain;
pub mod edition;
pub mod store;
