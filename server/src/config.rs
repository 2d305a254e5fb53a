//! How to run the service, as the command line says it. Whether that is safe, `startup` decides.

use std::path::PathBuf;

use crate::service::Keep;
use crate::store::Location;

/// How to run the service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the data lives.
    pub database: Location,
    /// Where customers buy more seats; empty if not to be shown.
    pub buy_more_url: String,
    /// How long results and history are kept.
    pub keep: Keep,
    /// TLS; plaintext if not set.
    pub tls: Option<Tls>,
    /// The issuer whose tokens prove who somebody is, if there is one.
    pub issuer: Option<Issuer>,
    /// Where the first admin key is written, if there is no principal yet.
    pub admin_key: PathBuf,
    /// The checks that the operator has overridden.
    pub overrides: Vec<Override>,
}

/// TLS of the server. The files are read again whenever they change.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate chain in PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
    /// Certificate authorities in PEM that vouch for clients; clients need no certificate if not set, and
    /// may show one if set.
    pub client_ca: Option<PathBuf>,
    /// Also speak TLS 1.2.
    pub allow_tls12: bool,
}

/// An OpenID Connect issuer.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// What `iss` must be, exactly.
    pub issuer: String,
    /// What `aud` must be or hold, exactly.
    pub audience: String,
    /// Where its key set is: `https://`, or `http://` of a loopback address.
    pub keys_url: String,
    /// Certificate authorities in PEM that vouch for `keys_url`; those of the system if not set.
    pub ca: Option<PathBuf>,
}

/// A check of the start that can be overridden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Override {
    /// Calls come unencrypted to an address that is not loopback.
    Plaintext,
    /// Nobody is asked who they are. Only on a loopback address.
    NoAuthentication,
    /// The database that is not on this machine is reached unencrypted or unverified.
    PlaintextDatabase,
}

impl Override {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::Plaintext,
        Self::NoAuthentication,
        Self::PlaintextDatabase,
    ];

    /// Its name, as the command line takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::NoAuthentication => "no-authentication",
            Self::PlaintextDatabase => "plaintext-database",
        }
    }
}

impl std::str::FromStr for Override {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        let names = Self::ALL.map(Self::name).join(", ");
        found.ok_or_else(|| {
            format!("no check is called so; those that can be overridden are {names}")
        })
    }
}
