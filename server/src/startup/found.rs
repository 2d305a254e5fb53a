//! What the checks of the start go by: the clock, and what is in the files that a configuration names.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use prost_types::Timestamp;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::time::Time;

use super::Validity;
use crate::config::{Config, Tls};
use crate::listen::validity;
use crate::store::Location;
use crate::trust;

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
    let mut certificate = match &chain {
        Ok(chain) => {
            let file = tls.certificate.display();
            validity_of(chain).map_err(|problem| format!("{file}: {problem}"))
        }
        Err(problem) => Err(problem.clone()),
    };
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| unreadable(&tls.key, &error));
    let provider = trust::provider();
    let served = match (&chain, &certificate, &key) {
        (Ok(chain), Ok(_), Ok(key)) => {
            CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider).map(drop)
        }
        _ => Ok(()),
    };
    let is_pair = !matches!(served, Err(rustls::Error::InconsistentKeys(_)));
    if let (Err(error), true) = (&served, is_pair) {
        let file = tls.certificate.display();
        certificate = Err(format!("{file} cannot be served: {error}"));
    }
    let access = std::fs::metadata(&tls.key).map(|file| access(&file));
    FoundTls {
        now: now(),
        certificate,
        key: key.and_then(|_| access.map_err(|error| error.to_string())),
        is_pair,
        client_ca: tls.client_ca.as_deref().map_or(Ok(()), authorities),
    }
}

/// When all of a chain is good.
fn validity_of(chain: &[CertificateDer<'_>]) -> Result<Validity, String> {
    let (from, until) = validity(chain)?;
    let time = |time: Time| Timestamp::from(time.to_system_time());
    Ok(Validity {
        from: time(from),
        until: time(until),
    })
}

/// Well if the file has certificates, all of which can vouch for others.
fn authorities(path: &Path) -> Result<(), String> {
    trust::authorities_of(path).map(drop)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string());
    let read = pem.and_then(|pem| trust::certificates(&pem));
    read.map_err(|problem| format!("{}: {problem}", path.display()))
}

fn unreadable(path: &Path, error: &PemError) -> String {
    let path = path.display();
    match error {
        PemError::Io(error) => format!("cannot read {path}: {error}"),
        PemError::NoItemsFound => format!("{path} has no private key in PEM"),
        _ => format!("{path} is no PEM"),
    }
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
