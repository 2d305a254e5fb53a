#![doc = include_str!("../README.md")]

pub mod domain;
pub mod edition;
pub mod identity;
pub mod server;
pub mod service;
pub mod store;

mod config;
mod listen;
mod rpc;
mod startup;
mod trust;
