//! The rule of the start: easy on the own machine, and never exposed by accident. What fails is told all
//! at once, each with its way out. [`judge`] is pure; what it goes by, `found` finds out.

mod found;

use std::net::SocketAddr;
use std::path::Path;

use prost_types::Timestamp;

use crate::config::{Config, Issuer, Override, Tls};
use crate::store::{Exposure, Location};
use crate::trust;
use found::{Access, Found, FoundTls, Place};

/// A check that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    check: &'static str,
    problem: String,
    way_out: String,
}

impl Failure {
    /// Under its check, which is called as the option or the override that it is about: what is wrong, and
    /// what to do.
    pub fn new(
        check: &'static str,
        problem: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Self {
        Self {
            check,
            problem: problem.into(),
            way_out: way_out.into(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.check, self.problem, self.way_out)
    }
}

/// All that speaks against running the service so at this address.
pub fn check(config: &Config, address: SocketAddr) -> Vec<Failure> {
    judge(config, address, &found::find(config))
}

/// The rule.
fn judge(config: &Config, address: SocketAddr, found: &Found) -> Vec<Failure> {
    // An IPv4 address in the form of IPv6 is the same address.
    let is_outside = !address.ip().to_canonical().is_loopback();
    let mut failures = Vec::new();
    failures.extend(plaintext(config, address, is_outside));
    failures.extend(no_authentication(config, address, is_outside));
    failures.extend(plaintext_database(config));
    if let (Some(tls), Some(found)) = (&config.tls, &found.tls) {
        failures.extend(tls_files(tls, found));
    }
    if let Some(issuer) = &config.issuer {
        failures.extend(issuer_settings(issuer));
        if let Err(problem) = &found.issuer_ca {
            let way_out = "give the authorities in PEM with --issuer-ca";
            failures.push(Failure::new("issuer-ca", problem, way_out));
        }
    }
    if asks(config) {
        failures.extend(admin_key(&config.admin_key, &found.admin_key));
    }
    if let (Location::Sqlite(path), Some(place)) = (&config.database, &found.database) {
        failures.extend(database_file(path, place));
    }
    failures
}

fn overridden(config: &Config, what: Override) -> bool {
    config.overrides.contains(&what)
}

/// True if callers are asked who they are: there are always keys.
fn asks(config: &Config) -> bool {
    !overridden(config, Override::NoAuthentication)
}

/// An override that changes nothing now would let a later mistake pass unseen.
fn without_effect(what: Override, why: &str) -> Failure {
    let problem = format!("`{}` has no effect: {why}", what.name());
    Failure::new("allow-insecure", problem, "leave it out")
}

fn plaintext(config: &Config, address: SocketAddr, is_outside: bool) -> Option<Failure> {
    let (check, is_plaintext) = (Override::Plaintext, config.tls.is_none());
    match (is_outside, is_plaintext, overridden(config, check)) {
        (true, true, false) => Some(Failure::new(
            check.name(),
            format!("calls to {address} would come unencrypted"),
            "give --tls-certificate and --tls-key, listen on a loopback address, or accept it with \
             --allow-insecure plaintext",
        )),
        (false, _, true) => Some(without_effect(check, "the address is loopback")),
        (true, false, true) => Some(without_effect(check, "there is TLS")),
        _ => None,
    }
}

fn no_authentication(config: &Config, address: SocketAddr, is_outside: bool) -> Vec<Failure> {
    let check = Override::NoAuthentication;
    if asks(config) {
        return Vec::new();
    }
    let mut failures = Vec::new();
    if is_outside {
        failures.push(Failure::new(
            check.name(),
            format!("whoever reaches {address} could do everything"),
            "leave out --allow-insecure no-authentication, or listen on a loopback address",
        ));
    }
    let client_ca = config
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_ca.is_some());
    for (check, is_given) in [
        ("issuer", config.issuer.is_some()),
        ("client-ca", client_ca),
    ] {
        if is_given {
            let problem = "has no effect: nobody is asked who they are";
            let way_out = format!(
                "leave out --{check}, or --allow-insecure {}",
                Override::NoAuthentication.name()
            );
            failures.push(Failure::new(check, problem, way_out));
        }
    }
    failures
}

fn plaintext_database(config: &Config) -> Option<Failure> {
    let check = Override::PlaintextDatabase;
    match (config.database.exposure(), overridden(config, check)) {
        (Exposure::Open, false) => Some(Failure::new(
            check.name(),
            "the database is on another machine, and the connection is not verified",
            "add sslmode=verify-full to its URL, or accept it with --allow-insecure plaintext-database",
        )),
        (Exposure::Local, true) => Some(without_effect(check, "the database is on this machine")),
        (Exposure::Verified, true) => Some(without_effect(check, "its connection is verified")),
        _ => None,
    }
}

fn tls_files(tls: &Tls, found: &FoundTls) -> Vec<Failure> {
    let mut failures = Vec::new();
    let certificate = tls.certificate.display();
    let renew = "give a certificate that is good now with --tls-certificate";
    let problem = match &found.certificate {
        Err(problem) => Some(problem.clone()),
        Ok(good) if found.now.seconds >= good.until.seconds => {
            Some(format!("{certificate} has expired at {}", good.until))
        }
        Ok(good) if found.now.seconds < good.from.seconds => {
            Some(format!("{certificate} is not good before {}", good.from))
        }
        Ok(_) => None,
    };
    failures.extend(problem.map(|problem| Failure::new("tls-certificate", problem, renew)));

    let key = tls.key.display();
    match &found.key {
        Err(problem) => {
            let way_out = "give the certificate's private key in PEM with --tls-key";
            failures.push(Failure::new("tls-key", problem, way_out));
        }
        Ok(access) if !is_private_key(*access) => failures.push(Failure::new(
            "tls-key",
            format!("others than its owner can read or change {key}"),
            format!(
                "run `chmod 600 {key}`, or let it be root's with mode 640 and of a group that the server \
                 is in"
            ),
        )),
        Ok(_) => {}
    }
    if !found.is_pair {
        let problem = format!("{key} does not belong to {certificate}");
        let way_out = "give the two that were made together";
        failures.push(Failure::new("tls-key", problem, way_out));
    }
    if let Err(problem) = &found.client_ca {
        let way_out = "give the authorities in PEM with --client-ca";
        failures.push(Failure::new("client-ca", problem, way_out));
    }
    failures
}

/// As PostgreSQL has it: only its owner may read a key; a group may if it is root's, which is how a service
/// with an account of its own gets at a key that is the machine's.
fn is_private_key(access: Option<Access>) -> bool {
    access.is_none_or(|access| {
        let forbidden = if access.owner == 0 { 0o027 } else { 0o077 };
        access.mode & forbidden == 0
    })
}

fn issuer_settings(issuer: &Issuer) -> Vec<Failure> {
    let (url, keys_url, audience) = (&issuer.issuer, &issuer.keys_url, &issuer.audience);
    let mut failures = Vec::new();
    for (check, value) in [("issuer-audience", audience), ("issuer-keys-url", keys_url)] {
        if value.is_empty() {
            let problem = "is missing: tokens of the issuer cannot be verified without it";
            failures.push(Failure::new(check, problem, format!("give --{check}")));
        }
    }
    for (check, url) in [("issuer", url), ("issuer-keys-url", keys_url)] {
        let is_trustworthy = url.parse().is_ok_and(|url| trust::is_trustworthy(&url));
        if !url.is_empty() && !is_trustworthy {
            let problem = format!("{url} is not https, so anybody on the way could make tokens");
            let way_out = format!("give an https:// URL with --{check}");
            failures.push(Failure::new(check, problem, way_out));
        }
    }
    failures
}

fn admin_key(path: &Path, place: &Place) -> Vec<Failure> {
    let check = "admin-key-file";
    let shown = path.display();
    match place.file {
        Some(Some(access)) if access.mode & 0o077 != 0 => vec![Failure::new(
            check,
            format!("others than its owner can read or change {shown}"),
            format!("run `chmod 600 {shown}`, and revoke the key if others may have read it"),
        )],
        Some(_) => Vec::new(),
        None => place_failures(check, path, place),
    }
}

fn database_file(path: &Path, place: &Place) -> Vec<Failure> {
    let mut failures = place_failures("database", path, place);
    let is_open = |access: Option<Access>, to: u32| access.is_some_and(|a| a.mode & to != 0);
    if is_open(place.file.flatten(), 0o006) && is_open(place.folder, 0o001) {
        let shown = path.display();
        let problem = format!("everybody on this machine can read or change {shown}");
        let way_out = format!("run `chmod o-rwx {shown}`");
        failures.push(Failure::new("database", problem, way_out));
    }
    failures
}

/// What is wrong with the place of a file that the server makes.
fn place_failures(check: &'static str, path: &Path, place: &Place) -> Vec<Failure> {
    if let Err(problem) = &place.writable {
        let problem = format!("{} cannot be made: {problem}", path.display());
        let way_out = format!("give a file with --{check} in whose folder this user can write");
        return vec![Failure::new(check, problem, way_out)];
    }
    // In a folder with the sticky bit, as /tmp, nobody removes the files of others.
    let is_anybodys = |access: Access| access.mode & 0o002 != 0 && access.mode & 0o1000 == 0;
    if place.folder.is_some_and(is_anybodys) {
        let folder = place.folder_path.display();
        let problem = format!("everybody on this machine can replace files in {folder}");
        let way_out = format!("run `chmod o-w {folder}`");
        return vec![Failure::new(check, problem, way_out)];
    }
    Vec::new()
}

/// When a certificate is good.
#[derive(Debug, Clone, PartialEq)]
struct Validity {
    from: Timestamp,
    until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_owners_or_roots_and_a_groups() {
        for (owner, mode, is_private) in [
            (1000, 0o600, true),
            (1000, 0o400, true),
            (1000, 0o640, false),
            (1000, 0o604, false),
            (0, 0o640, true),
            (0, 0o440, true),
            (0, 0o660, false),
            (0, 0o644, false),
        ] {
            let access = Some(Access { mode, owner });
            assert_eq!(is_private_key(access), is_private, "{owner} {mode:o}");
        }
    }
}
