//! What the checks of the start go by: the clock, and what is in the files that a configuration names.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use prost_types::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::Validity;
use crate::config::{Config, Tls};
use crate::store::Location;

/// What was found.
pub(super) struct Found {
    pub(super) tls: Option<FoundTls>,
    /// Well if there is none.
    pub(super) issuer_ca: Result<(), String>,
    pub(super) admin_key: Place,
    /// None if it is no file.
    pub(super) database: Option<Place>,
}

/// What is in the files of TLS.
pub(super) struct FoundTls {
    pub(super) now: Timestamp,
    pub(super) certificate: Result<Validity, String>,
    pub(super) key: Result<Option<Access>, String>,
    /// True if they belong together, and if that cannot be said.
    pub(super) is_pair: bool,
    /// Well if there is none.
    pub(super) client_ca: Result<(), String>,
}

/// Who may do what with a file, where the system knows such a thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) mode: u32,
    pub(super) owner: u32,
}

/// The place of a file that the server makes, with the folders that are missing.
pub(super) struct Place {
    /// The file, if it is there.
    pub(super) file: Option<Option<Access>>,
    /// The nearest folder that is there.
    pub(super) folder_path: PathBuf,
    pub(super) folder: Option<Access>,
    pub(super) writable: Result<(), String>,
}

pub(super) fn find(config: &Config) -> Found {
    let issuer_ca = config.issuer.as_ref().and_then(|issuer| issuer.ca.as_ref());
    let database = match &config.database {
        Location::Sqlite(path) => Some(place(path)),
        Location::Postgres(_) => None,
    };
    Found {
        tls: config.tls.as_ref().map(tls),
        issuer_ca: issuer_ca.map_or(Ok(()), |path| authorities(path)),
        admin_key: place(&config.admin_key),
        database,
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock of the checks")]
fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

fn tls(tls: &Tls) -> FoundTls {
    let chain = certificates(&tls.certificate);
    let certificate = match &chain {
        Ok(chain) => validity_of_all(chain).ok_or_else(|| malformed(&tls.certificate)),
        Err(problem) => Err(problem.clone()),
    };
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| unreadable(&tls.key, "private key", &error));
    let provider = rustls::crypto::ring::default_provider();
    let is_pair = match (&chain, &certificate, &key) {
        (Ok(chain), Ok(_), Ok(key)) => {
            CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider).is_ok()
        }
        _ => true,
    };
    let access = std::fs::metadata(&tls.key).map(|file| access(&file));
    FoundTls {
        now: now(),
        certificate,
        key: key.and_then(|_| access.map_err(|error| error.to_string())),
        is_pair,
        client_ca: tls.client_ca.as_deref().map_or(Ok(()), authorities),
    }
}

/// A chain is as good as what is good for the shortest time in it.
fn validity_of_all(chain: &[CertificateDer<'_>]) -> Option<Validity> {
    let validities = chain.iter().map(|certificate| validity(certificate));
    let validities: Vec<_> = validities.collect::<Option<_>>()?;
    let from = validities.iter().map(|good| good.from);
    let until = validities.iter().map(|good| good.until);
    Some(Validity {
        from: from.max_by_key(|at| at.seconds)?,
        until: until.min_by_key(|at| at.seconds)?,
    })
}

/// Well if the file has certificates, all of which can vouch for others.
fn authorities(path: &Path) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|_| malformed(path))?;
    }
    Ok(())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => {
            Err(unreadable(path, "certificate", &PemError::NoItemsFound))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, "certificate", &error)),
    }
}

fn unreadable(path: &Path, what: &str, error: &PemError) -> String {
    let path = path.display();
    match error {
        PemError::Io(error) => format!("cannot read {path}: {error}"),
        PemError::NoItemsFound => format!("{path} has no {what} in PEM"),
        _ => format!("{path} is no PEM"),
    }
}

fn malformed(path: &Path) -> String {
    format!("{} has a certificate that is malformed", path.display())
}

/// When an X.509 certificate is good: of its first part, which is version (tagged), serial number,
/// algorithm, issuer and validity, the last.
fn validity(certificate: &[u8]) -> Option<Validity> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    for _ in ["serial number", "algorithm", "issuer"] {
        rest = element(rest)?.2;
    }
    let (_, times, _) = element(rest)?;
    let (tag, from, times) = element(times)?;
    let from = time(tag, from)?;
    let (tag, until, _) = element(times)?;
    let until = time(tag, until)?;
    Some(Validity { from, until })
}

/// The first element of DER: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = length
                .iter()
                .fold(0, |all, byte| (all << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A time of X.509: `YYMMDDHHMMSSZ` from 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    const UTC_TIME: u8 = 0x17;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        UTC_TIME if text < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        _ => text.to_owned(),
    };
    let (date, time) = text.split_at_checked(8)?;
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, rest) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{rest}");
    text.parse().ok()
}

/// Looks at a place, and tries to write there.
fn place(path: &Path) -> Place {
    let parent = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) => PathBuf::from("."),
        None => PathBuf::from("/"),
    };
    let mut folder_path = parent(path);
    while !folder_path.exists() {
        folder_path = parent(&folder_path);
    }
    let writable = if path.is_dir() {
        Err("it is a folder".to_owned())
    } else {
        let tried = tempfile::tempfile_in(&folder_path);
        // Not the error as it is: it names a file that nobody knows.
        let problem =
            |error: std::io::Error| format!("{}: {}", folder_path.display(), error.kind());
        tried.map(drop).map_err(problem)
    };
    let found = |path: &Path| std::fs::metadata(path).ok();
    let file = found(path).filter(|file| !file.is_dir());
    Place {
        file: file.map(|file| access(&file)),
        folder: found(&folder_path).and_then(|folder| access(&folder)),
        folder_path,
        writable,
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no modes")]
fn access(file: &Metadata) -> Option<Access> {
    use std::os::unix::fs::MetadataExt;
    Some(Access {
        mode: file.mode(),
        owner: file.uid(),
    })
}

#[cfg(not(unix))]
fn access(_: &Metadata) -> Option<Access> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_certificates_are_read() {
        const UTC: u8 = 0x17;
        const GENERALIZED: u8 = 0x18;
        for (tag, text, shown) in [
            (UTC, "250102030405Z", "2025-01-02T03:04:05Z"),
            (UTC, "491231235959Z", "2049-12-31T23:59:59Z"),
            (UTC, "500101000000Z", "1950-01-01T00:00:00Z"),
            (GENERALIZED, "20500101000000Z", "2050-01-01T00:00:00Z"),
            (GENERALIZED, "99991231235959Z", "9999-12-31T23:59:59Z"),
        ] {
            let time = time(tag, text.as_bytes()).expect("a time");
            assert_eq!(time.to_string(), shown);
        }
        for text in [
            "",
            "2501",
            "25010203040Z",
            "251302030405Z",
            "\u{e9}501020304\u{e9}Z",
        ] {
            assert_eq!(time(UTC, text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_cut_or_no_certificate_is_told() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 3, 1],
        ] {
            assert!(element(bytes).is_none(), "{bytes:?}");
            assert!(validity(bytes).is_none(), "{bytes:?}");
        }
    }
}
