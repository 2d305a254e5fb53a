//! Who somebody is, as a credential proves it; never what they may do.
//!
//! So far that is a token of an OpenID Connect issuer: signed by a key of its key set, for us, and good now.
//! Checked here instead of by a crate for tokens, which would bring a second cryptography into the build,
//! checks less of a header than we do, and more of it than we trust.

use std::path::PathBuf;

pub use token::{Rejected, Verified, Verifier};

mod fetch;
mod key;
mod key_set;
#[cfg(test)]
mod tests;
mod token;

/// Why no token can ever be verified as this is configured.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Tokens would be taken from anybody, or for anybody.
    #[error("the {0} of tokens must not be empty")]
    Empty(&'static str),
    /// The key set is not at such an address.
    #[error("the issuer's key set cannot be at `{url}`: {problem}")]
    KeysUrl {
        /// The address.
        url: String,
        /// What is wrong with it, and what to write instead.
        problem: &'static str,
    },
    /// The file does not say which certificate authorities vouch for the issuer.
    #[error(
        "the issuer's certificate authorities cannot be read from {}: {problem}",
        .path.display()
    )]
    Ca {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system trusts no certificate authority.
    #[error(
        "this system has no certificate authorities that could vouch for the issuer: install them, or \
         name a file with the issuer's"
    )]
    NoRoots,
}
