//! Where a PostgreSQL is, and how it is spoken to there, as libpq's URL says.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::verify::{AnyName, Anybody};
use crate::store::Exposure;
use crate::trust;

/// A PostgreSQL and how to connect to it.
pub(in crate::store) struct Target {
    pub(super) config: tokio_postgres::Config,
    mode: Mode,
    roots: Roots,
}

/// How a connection is kept from others, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    /// In plaintext.
    Disable,
    /// Encrypted if the server can. Also what libpq calls `allow`.
    Prefer,
    /// Encrypted, to whoever answers.
    Require,
    /// Encrypted, to a server of the authorities.
    VerifyCa,
    /// Encrypted, to the server of this name.
    VerifyFull,
}

enum Roots {
    System,
    File(PathBuf),
}

impl Target {
    /// Reads a URL with libpq's parameters. What it says of TLS is read here, since the driver does not know
    /// all of it. A server on another machine must prove its name unless the URL says otherwise.
    pub(in crate::store) fn parse(url: &str) -> Result<Self, String> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots) = (None, None);
        let mut others = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            match name.as_ref() {
                "sslmode" => mode = Some(Mode::parse(&value)?),
                "sslrootcert" => {
                    roots = Some(match value.as_ref() {
                        "system" => Roots::System,
                        path => Roots::File(PathBuf::from(path)),
                    });
                }
                _ => others.push(parameter),
            }
        }
        let url = match others.as_slice() {
            [] => place.to_owned(),
            others => format!("{place}?{}", others.join("&")),
        };
        let config: tokio_postgres::Config = url.parse().map_err(explained)?;
        let default = if is_local(&config) {
            Mode::Disable
        } else {
            Mode::VerifyFull
        };
        let mode = match (mode.unwrap_or(default), &roots) {
            (mode, Some(Roots::System)) if mode < Mode::VerifyFull && mode != default => {
                return Err("sslrootcert=system takes sslmode=verify-full".to_owned());
            }
            // As in libpq: who names authorities wants them asked.
            (Mode::Require, Some(_)) => Mode::VerifyCa,
            (mode, _) => mode,
        };
        let roots = roots.unwrap_or(Roots::System);
        if mode == Mode::VerifyCa && matches!(roots, Roots::System) {
            // Anybody can have a certificate of these authorities.
            return Err("sslmode=verify-ca takes sslrootcert with a file".to_owned());
        }
        Ok(Self {
            config,
            mode,
            roots,
        })
    }

    pub(in crate::store) fn exposure(&self) -> Exposure {
        match self.mode {
            _ if is_local(&self.config) => Exposure::Local,
            Mode::VerifyFull => Exposure::Verified,
            _ => Exposure::Open,
        }
    }

    /// The driver's settings, and what speaks TLS with them.
    pub(super) fn tls(mut self) -> Result<(tokio_postgres::Config, MakeRustlsConnect), String> {
        self.config.ssl_mode(match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        let tls = ClientConfig::builder_with_provider(trust::provider())
            .with_safe_default_protocol_versions()
            .expect("ring knows both versions");
        let tls = match self.mode {
            Mode::VerifyFull => tls.with_root_certificates(self.roots.load()?),
            Mode::VerifyCa => {
                let verifier = AnyName::new(self.roots.load()?)?;
                tls.dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
            Mode::Disable | Mode::Prefer | Mode::Require => tls
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody)),
        };
        Ok((
            self.config,
            MakeRustlsConnect::new(tls.with_no_client_auth()),
        ))
    }
}

impl Mode {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(
                    "sslmode must be verify-full, verify-ca, require, prefer, allow or disable"
                        .to_owned(),
                );
            }
        })
    }
}

impl Roots {
    fn load(&self) -> Result<RootCertStore, String> {
        match self {
            Self::System => trust::system(),
            Self::File(path) => {
                trust::authorities_of(path).map_err(|problem| format!("sslrootcert {problem}"))
            }
        }
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_err(|_| "a parameter of the URL is not UTF-8".to_owned())
}

/// True if each of the servers is on this machine: reached by a socket in the file system, or loopback.
fn is_local(config: &tokio_postgres::Config) -> bool {
    let is_loopback = |address: &IpAddr| address.to_canonical().is_loopback();
    let addresses = config.get_hostaddrs();
    // The name is only for the certificate then.
    if !addresses.is_empty() {
        return addresses.iter().all(is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.trim_matches(['[', ']']).parse();
            name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| is_loopback(&ip))
        }
    })
}

/// What the driver says of a URL. It names parameters, never their values.
fn explained(error: tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    cause.unwrap_or_else(|| error.to_string())
}
