//! The server's certificate: read from files, checked, and read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ALL_VERSIONS, ServerConfig, SupportedProtocolVersion};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::{Time, Validity};

use super::PROTOCOL;
use crate::config::Tls;
use crate::trust;

/// How often it is looked whether the files have changed.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);
static NEWEST_VERSION: &[&SupportedProtocolVersion] = &[&TLS13];

/// A file of TLS that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag} {}: {problem}", .path.display())]
pub struct BadFile {
    /// The setting that names it.
    pub flag: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: String,
}

/// TLS that can be served.
#[derive(Debug, Clone)]
pub struct LoadedTls(Arc<ServerConfig>);

/// What was in the files when they were read.
#[derive(PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Tls {
    /// Reads the files and checks that they can be served now: that the certificate is good, the key is its
    /// own, and the authorities are some.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn load(&self) -> Result<LoadedTls, BadFile> {
        self.check(&self.read()?)
    }

    fn read(&self) -> Result<Files, BadFile> {
        let read = |file: fn(&Path, String) -> BadFile, path: &Path| {
            std::fs::read(path).map_err(|error| file(path, error.to_string()))
        };
        Ok(Files {
            certificate: read(certificate, &self.certificate)?,
            key: read(key, &self.key)?,
            client_ca: match &self.client_ca {
                Some(path) => Some(read(client_ca, path)?),
                None => None,
            },
        })
    }

    fn check(&self, files: &Files) -> Result<LoadedTls, BadFile> {
        let bad = |problem| certificate(&self.certificate, problem);
        let chain = trust::certificates(&files.certificate).map_err(bad)?;
        let (begin, end) = validity(&chain).map_err(bad)?;
        let now = Duration::from_secs(UnixTime::now().as_secs());
        if end.to_unix_duration() < now {
            return Err(bad(format!("it has expired, at {end}")));
        }
        if begin.to_unix_duration() > now {
            return Err(bad(format!("it is not good before {begin}")));
        }
        let private = PrivateKeyDer::from_pem_slice(&files.key).map_err(|error| {
            let problem = format!("there is no private key in it, in PEM: {error}");
            key(&self.key, problem)
        })?;
        let versions = if self.allow_tls12 {
            ALL_VERSIONS
        } else {
            NEWEST_VERSION
        };
        let config = ServerConfig::builder_with_provider(trust::provider())
            .with_protocol_versions(versions)
            .expect("ring knows both versions");
        let config = match (&self.client_ca, &files.client_ca) {
            (Some(path), Some(pem)) => {
                let bad = |problem| client_ca(path, problem);
                let roots = Arc::new(trust::authorities(pem).map_err(bad)?);
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots, trust::provider())
                        .allow_unauthenticated()
                        .build();
                let verifier = verifier.map_err(|error| bad(error.to_string()))?;
                config.with_client_cert_verifier(verifier)
            }
            _ => config.with_no_client_auth(),
        };
        let config = config.with_single_cert(chain, private);
        let mut config = config.map_err(|error| {
            let problem = match error {
                rustls::Error::InconsistentKeys(_) => {
                    let certificate = self.certificate.display();
                    format!("it is not the key of the certificate in {certificate}")
                }
                error => error.to_string(),
            };
            key(&self.key, problem)
        })?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // A session that is resumed would not be asked for its certificate again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(LoadedTls(Arc::new(config)))
    }
}

fn certificate(path: &Path, problem: String) -> BadFile {
    bad_file("tls-certificate", path, problem)
}

fn key(path: &Path, problem: String) -> BadFile {
    bad_file("tls-key", path, problem)
}

fn client_ca(path: &Path, problem: String) -> BadFile {
    bad_file("client-ca", path, problem)
}

fn bad_file(flag: &'static str, path: &Path, problem: String) -> BadFile {
    BadFile {
        flag,
        path: path.to_owned(),
        problem,
    }
}

/// When all of a chain is good, from the first of these times to the second.
pub(crate) fn validity(chain: &[CertificateDer<'_>]) -> Result<(Time, Time), String> {
    let read = |der: &CertificateDer<'_>| {
        let read = Certificate::from_der(der);
        read.map(|certificate| certificate.tbs_certificate.validity)
            .map_err(|error| format!("a certificate in it is malformed: {error}"))
    };
    let all: Vec<Validity> = chain.iter().map(read).collect::<Result<_, _>>()?;
    let begin = all.iter().map(|one| one.not_before);
    let begin = begin.max_by_key(|time| time.to_unix_duration());
    let end = all.iter().map(|one| one.not_after);
    let end = end.min_by_key(|time| time.to_unix_duration());
    Ok(begin.zip(end).expect("a chain has a certificate"))
}

/// The certificate that is served now.
pub(crate) struct Certificates {
    served: watch::Receiver<Arc<ServerConfig>>,
    _following: AbortOnDropHandle<()>,
}

impl Certificates {
    /// Reads the files, and again whenever they change.
    pub(crate) fn load(tls: Tls) -> Result<Self, BadFile> {
        let (mut follower, served) = Follower::load(tls)?;
        let following = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RELOAD_INTERVAL).await;
                follower.look().await;
            }
        });
        Ok(Self {
            served,
            _following: AbortOnDropHandle::new(following),
        })
    }

    /// What agrees on TLS with the next peer.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.served.borrow().clone())
    }
}

/// Has what is in the files served.
pub(super) struct Follower {
    tls: Arc<Tls>,
    /// What was in the files at the last look, or why they could not be read.
    seen: Result<Files, BadFile>,
    served: watch::Sender<Arc<ServerConfig>>,
}

impl Follower {
    pub(super) fn load(tls: Tls) -> Result<(Self, watch::Receiver<Arc<ServerConfig>>), BadFile> {
        let files = tls.read()?;
        let (served, receiver) = watch::channel(tls.check(&files)?.0);
        let follower = Self {
            tls: Arc::new(tls),
            seen: Ok(files),
            served,
        };
        Ok((follower, receiver))
    }

    /// Looks whether the files have changed. What cannot be served is left alone, which is said once.
    pub(super) async fn look(&mut self) {
        let tls = self.tls.clone();
        let reading = tokio::task::spawn_blocking(move || tls.read());
        let files = reading.await.expect("reading files does not panic");
        if files == self.seen {
            return;
        }
        let loaded = files.as_ref().map_err(Clone::clone);
        match loaded.and_then(|files| self.tls.check(files)) {
            Ok(loaded) => {
                self.served.send_replace(loaded.0);
                tracing::info!("a new certificate is served");
            }
            Err(error) => tracing::warn!(%error, "the certificate is not replaced"),
        }
        self.seen = files;
    }
}
