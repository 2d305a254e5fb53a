//! Who is at the other end, and which certificate is served, without the service behind it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tonic::transport::server::Connected;

use super::certificates::Follower;
use super::names::NAMES_MAX;
use super::{Certificates, Connections, PROTOCOL, Peer};
use crate::config::Tls;
use crate::trust;

/// An authority and a server's files, in a folder.
struct World {
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let world = Self {
            authority: CertifiedIssuer::self_signed(params, key).expect("an authority"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        world.write("ca.pem", &world.authority.pem());
        world.replace_certificate();
        world
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    /// A certificate of these names, and its key.
    fn issue(&self, names: Vec<SanType>, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new([]).expect("no names");
        params.subject_alt_names = names;
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.authority);
        (
            certificate.expect("a certificate").pem(),
            key.serialize_pem(),
        )
    }

    fn replace_certificate(&self) {
        let purpose = ExtendedKeyUsagePurpose::ServerAuth;
        let (certificate, key) = self.issue(vec![dns("localhost")], purpose);
        self.write("cert.pem", &certificate);
        self.write("key.pem", &key);
    }

    fn tls(&self) -> Tls {
        let file = |name: &str| self.folder.path().join(name);
        Tls {
            certificate: file("cert.pem"),
            key: file("key.pem"),
            client_ca: Some(file("ca.pem")),
            allow_tls12: false,
        }
    }

    /// Connects, with a certificate for these names if there are any; what the server takes the peer for.
    async fn peer(&self, names: Option<Vec<SanType>>) -> (SocketAddr, Option<Peer>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let certificates = Certificates::load(self.tls()).expect("good files");
        let mut connections = Connections::accept(listener, Some(certificates));
        let roots = trust::authorities(self.authority.pem().as_bytes()).expect("authorities");
        let config = ClientConfig::builder_with_provider(trust::provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match names {
            None => config.with_no_client_auth(),
            Some(names) => {
                use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
                let (certificate, key) = self.issue(names, ExtendedKeyUsagePurpose::ClientAuth);
                let chain = trust::certificates(certificate.as_bytes()).expect("a chain");
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
                config.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        let name = ServerName::try_from("localhost").expect("a name");
        let tcp = TcpStream::connect(address).await.expect("connected");
        let own = tcp.local_addr().expect("an address");
        let connector = TlsConnector::from(Arc::new(config));
        let mut tls = connector.connect(name, tcp).await.expect("a handshake");
        // A server that refuses says so or goes away; one that does not has the connection ready.
        let peer = tokio::select! {
            connection = connections.next() => {
                let connection = connection.expect("it goes on").expect("no error");
                Some(connection.connect_info())
            }
            _ = tokio::io::AsyncReadExt::read_u8(&mut tls) => None,
        };
        (own, peer)
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("a name"))
}

#[tokio::test]
async fn a_peer_has_the_names_of_its_certificate() {
    let world = World::new();
    let text = |text: &str| text.try_into().expect("ASCII");
    let names = vec![
        dns("Sync.Example.com"),
        SanType::Rfc822Name(text("Ada@example.com")),
        SanType::URI(text("spiffe://example.com/Sync")),
        SanType::IpAddress([10, 0, 0, 1].into()),
    ];
    let known = [
        "dns:sync.example.com",
        "email:Ada@example.com",
        "uri:spiffe://example.com/Sync",
    ];
    for (names, known) in [
        (Some(names), known.as_slice()),
        (Some(Vec::new()), &[]),
        (None, &[]),
    ] {
        let (address, peer) = world.peer(names).await;
        let names: Arc<[String]> = known.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(peer, Some(Peer { address, names }));
    }
}

#[tokio::test]
async fn a_certificate_of_too_many_names_is_refused() {
    let world = World::new();
    let names = |count| {
        (0..count)
            .map(|n| dns(&format!("n{n}.example.com")))
            .collect()
    };
    let (_, peer) = world.peer(Some(names(NAMES_MAX))).await;
    assert_eq!(peer.expect("welcome").names.len(), NAMES_MAX);
    let (_, peer) = world.peer(Some(names(NAMES_MAX + 1))).await;
    assert_eq!(peer, None);
}

#[tokio::test]
async fn a_peer_in_plaintext_has_no_names() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut connections = Connections::accept(listener, None);
    let stream = TcpStream::connect(address).await.expect("connected");
    let connection = connections.next().await.expect("one").expect("no error");
    let expected = Peer {
        address: stream.local_addr().expect("an address"),
        names: Arc::default(),
    };
    assert_eq!(connection.connect_info(), expected);
}

#[tokio::test]
async fn a_new_certificate_is_served_and_a_broken_one_is_not() {
    let world = World::new();
    let (mut follower, served) = Follower::load(world.tls()).expect("good files");
    let served = || served.borrow().clone();
    let path = |name: &str| world.folder.path().join(name);
    let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
    for broken in [
        ("cert.pem", ""),
        ("cert.pem", "rubbish"),
        ("cert.pem", &read(&path("cert.pem"))[..200]),
        ("key.pem", ""),
        ("key.pem", &read(&path("key.pem"))[..100]),
        (
            "key.pem",
            &KeyPair::generate().expect("a key").serialize_pem(),
        ),
        ("ca.pem", "rubbish"),
    ] {
        let old = served();
        world.write(broken.0, broken.1);
        follower.look().await;
        assert!(Arc::ptr_eq(&old, &served()), "{broken:?}");
        world.write("ca.pem", &world.authority.pem());
        world.replace_certificate();
        follower.look().await;
        assert!(!Arc::ptr_eq(&old, &served()), "after {broken:?}");
    }
    let old = served();
    std::fs::remove_file(path("cert.pem")).expect("removed");
    follower.look().await;
    assert!(Arc::ptr_eq(&old, &served()));
}
