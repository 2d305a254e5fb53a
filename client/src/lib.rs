#![doc = include_str!("../README.md")]

mod batch;
mod builder;
mod client;
mod error;
mod follow;
mod import;
mod journal;
mod request;
mod result;
mod tls;
mod token;
pub mod v1;
mod watch;

pub use batch::{BatchOutcome, BatchStream};
pub use builder::Builder;
pub use client::Client;
pub use error::{Code, Error, Localized, Violation};
pub use import::ImportReport;
pub use journal::{Flaw, JournalStream, Verified, Verifier};
pub use request::BatchRequest;
pub use result::UserResult;
pub use watch::WatchStream;

/// The layer below: generated stubs on tonic, for what this crate does not wrap. Its types change
/// with tonic's versions.
pub mod transport {
    pub use seatwise_proto::v1;
    pub use tonic;
}
