//! The issuer's key set over TLS: only who can prove to be the issuer is believed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::issuer::{Answer, Issuer, SigningKey};
use super::{NEVER, claims, config, verify};
use crate::identity::key_set::Waits;
use crate::identity::{Rejected, Verifier};

/// An authority that vouches for servers.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Writes its certificate to a file.
    fn file(&self, folder: &TempDir, name: &str) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, self.0.pem()).expect("a file");
        path
    }

    /// A server's configuration with a certificate for this name.
    fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder
            .with_safe_default_protocol_versions()
            .expect("there are some");
        let builder = builder.with_no_client_auth();
        let chain = vec![certificate.der().clone()];
        builder
            .with_single_cert(chain, der)
            .expect("they belong together")
    }
}

/// Speaks TLS in front of a server.
async fn front(config: ServerConfig, behind: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // Who does not trust us goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut behind = TcpStream::connect(behind)
                .await
                .expect("the issuer is there");
            let _ = copy_bidirectional(&mut stream, &mut behind).await;
        }
    });
    address
}

#[tokio::test]
async fn only_who_can_prove_to_be_the_issuer_is_believed() {
    let folder = tempfile::tempdir().expect("a directory");
    let key = SigningKey::ed25519("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    let (ours, others) = (Authority::new(), Authority::new());
    let ca = Some(ours.file(&folder, "ours.pem"));
    let other_ca = Some(others.file(&folder, "others.pem"));
    let unchanged = |_: &mut CertificateParams| {};
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let future = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    let good = || ours.server("localhost", unchanged);
    let cases = [
        ("good", good(), ca.clone(), true),
        (
            "for its address",
            ours.server("127.0.0.1", unchanged),
            ca.clone(),
            false,
        ),
        (
            "for another name",
            ours.server("issuer.test", unchanged),
            ca.clone(),
            false,
        ),
        (
            "expired",
            ours.server("localhost", expired),
            ca.clone(),
            false,
        ),
        (
            "not good yet",
            ours.server("localhost", future),
            ca.clone(),
            false,
        ),
        (
            "of another authority",
            others.server("localhost", unchanged),
            ca.clone(),
            false,
        ),
        ("of an authority that is not ours", good(), other_ca, false),
        (
            "of an authority that the system does not know",
            good(),
            None,
            false,
        ),
    ];
    for (name, server, ca, is_believed) in cases {
        let address = front(server, issuer.address).await;
        let asked = issuer.asked();
        let url = format!("https://localhost:{}/keys", address.port());
        let config = config::Issuer { ca, ..config(url) };
        let verifier = Verifier::waiting(&config, NEVER).expect("the configuration is good");
        let verified = verify(&verifier, &key.token(&claims())).await;
        match is_believed {
            true => assert!(verified.is_ok(), "{name}: {verified:?}"),
            false => assert_eq!(verified, Err(Rejected::KeysUnavailable), "{name}"),
        }
        assert_eq!(issuer.asked() - asked, usize::from(is_believed), "{name}");
    }
}

#[tokio::test]
async fn an_issuer_may_be_called_by_its_address() {
    let folder = tempfile::tempdir().expect("a directory");
    let key = SigningKey::ed25519("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    let ours = Authority::new();
    let address = front(ours.server("127.0.0.1", |_| {}), issuer.address).await;
    let ca = Some(ours.file(&folder, "ours.pem"));
    let url = format!("https://{address}/keys");
    let config = config::Issuer { ca, ..config(url) };
    let verifier = Verifier::waiting(&config, NEVER).expect("the configuration is good");
    let verified = verify(&verifier, &key.token(&claims())).await;
    assert!(verified.is_ok(), "{verified:?}");
}

#[tokio::test]
async fn an_issuer_without_tls_is_not_asked_over_tls() {
    let folder = tempfile::tempdir().expect("a directory");
    let key = SigningKey::ed25519("key");
    let issuer = Issuer::start(Answer::keys(&[key.public()])).await;
    let ca = Some(Authority::new().file(&folder, "ca.pem"));
    let url = issuer.keys_url().replace("http:", "https:");
    let config = config::Issuer { ca, ..config(url) };
    let waits = Waits {
        connect: Duration::from_millis(50),
        ..NEVER
    };
    let verifier = Verifier::waiting(&config, waits).expect("the configuration is good");
    let verified = verify(&verifier, &key.token(&claims())).await;
    assert_eq!(verified, Err(Rejected::KeysUnavailable));
}
