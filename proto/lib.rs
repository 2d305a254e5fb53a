//! The Seatwise protocol, generated from `proto/`. Nothing here is written by hand.

/// Messages, clients and servers of the package `seatwise.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::doc_markdown,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("seatwise.v1");
}

/// The RPCs by name.
#[allow(missing_docs, reason = "generated")]
mod methods {
    include!(concat!(env!("OUT_DIR"), "/methods.rs"));
}

pub use methods::Method;

/// The compiled `.proto` files with their comments, for reflection and JSON.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/seatwise.binpb"));
