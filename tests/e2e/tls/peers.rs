//! Peers that speak something else than they should.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use seatwise_client::{Client, Code};
use seatwise_server::server::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{assert_insecure, builder, call};
use crate::authority::{Authority, Pair};
use crate::harness::{Harness, on_sqlite};

/// A server that shows any certificate, and ends each connection then.
pub(super) async fn server(pair: &Pair) -> SocketAddr {
    let chain = CertificateDer::pem_slice_iter(pair.certificate.as_bytes());
    let chain = chain.collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth();
    let mut config = config.with_single_cert(chain, key).expect("a pair");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    address
}

/// Agrees on TLS with the server: with these versions, for these protocols.
pub(super) async fn connect(
    server: &Harness,
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes());
    roots
        .add(root.expect("a certificate"))
        .expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(versions).expect("versions");
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    let protocols = protocols.iter().map(|name| name.as_bytes().to_vec());
    config.alpn_protocols = protocols.collect();
    let stream = TcpStream::connect(server.address()).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await?;
    // A server may refuse what the client takes for agreed. One that serves HTTP/2 begins to speak.
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await?;
    assert_eq!(frame[3], 4, "settings come first");
    Ok(stream)
}

async fn a_server_speaks_nothing_but_http2_in_tls(server: &Harness) {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let tls = authority.server().tls(folder.path());
    server.start_secure(tls.clone()).await;
    for (versions, protocols) in [
        ([&TLS12].as_slice(), ["h2"].as_slice()),
        (&[&TLS13], &["http/1.1"]),
        (&[&TLS13], &["h3", "http/1.0"]),
        (&[&TLS13], &[]),
    ] {
        let connected = connect(server, &authority, versions, protocols).await;
        assert!(connected.is_err(), "{versions:?} {protocols:?}");
        let good = connect(server, &authority, &[&TLS13], &["http/1.1", "h2"]).await;
        good.expect("what it does speak");
    }
    assert!(greet(server, OLD_HELLO).await, "TLS 1.1");

    let allow_tls12 = Tls {
        allow_tls12: true,
        ..tls
    };
    server.stop().await;
    server.start_secure(allow_tls12).await;
    for version in [&TLS12, &TLS13] {
        let good = connect(server, &authority, &[version], &["h2"]).await;
        good.expect("both versions");
        let bad = connect(server, &authority, &[version], &["http/1.1"]).await;
        assert!(bad.is_err());
    }
    assert!(greet(server, OLD_HELLO).await, "TLS 1.1");
    call(builder(server, &authority)).await.expect("a call");
}

/// A hello of TLS 1.1, with `TLS_RSA_WITH_AES_128_CBC_SHA` and no extension.
const OLD_HELLO: &[u8] = &[
    0x16, 3, 1, 0, 0x2d, 1, 0, 0, 0x29, 3, 2, // Handshake, ClientHello, 3.2
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31, 32, // Random
    0, 0, 2, 0, 0x2f, 1, 0, // Session, suites, compression
];

/// Says something; true if the server ends the connection without more than an alert.
async fn greet(server: &Harness, words: &[u8]) -> bool {
    let stream = TcpStream::connect(server.address()).await;
    let mut stream = stream.expect("a connection");
    stream.write_all(words).await.expect("written");
    let mut answer = Vec::new();
    // Whether it closes or resets, that is the end.
    let _ = stream.read_to_end(&mut answer).await;
    const ALERT: u8 = 0x15;
    answer.first().is_none_or(|kind| *kind == ALERT) && answer.len() < 16
}

async fn rubbish_and_silence_hold_nobody_up(server: &Harness) {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    server
        .start_secure(authority.server().tls(folder.path()))
        .await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let stream = TcpStream::connect(server.address()).await;
        silent.push(stream.expect("a connection"));
    }
    // One that stops in the middle of its hello.
    let mut slow = TcpStream::connect(server.address())
        .await
        .expect("a connection");
    slow.write_all(&OLD_HELLO[..20]).await.expect("written");
    silent.push(slow);
    for rubbish in [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(),
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 1_000],
        &[0xff; 100],
        &[0x16, 3, 1, 0xff, 0xff, 1, 0, 0],
    ] {
        assert!(greet(server, rubbish).await, "{rubbish:?}");
        call(builder(server, &authority)).await.expect("a call");
    }
    // Nobody waits for them for ever.
    for mut stream in silent {
        let read = stream.read(&mut [0; 16]).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
}

async fn who_does_not_agree_on_tls_is_told_so(server: &Harness) {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    server
        .start_secure(authority.server().tls(folder.path()))
        .await;
    let plain = || Client::builder(server.endpoint()).token_file(server.admin_key());
    let error = call(plain()).await.expect_err("plaintext");
    assert!(
        matches!(error.code, Code::Unavailable | Code::Other),
        "{error:?}"
    );
    call(builder(server, &authority)).await.expect("TLS");

    server.restart().await;
    let secure = builder(server, &authority);
    assert_insecure(call(secure).await, "does not speak TLS there", "no TLS");
    call(plain()).await.expect("plaintext");
}

on_sqlite![
    a_server_speaks_nothing_but_http2_in_tls,
    rubbish_and_silence_hold_nobody_up,
    who_does_not_agree_on_tls_is_told_so,
];
