//! The listener: takes connections in, agrees on TLS with who is there, and lets each call know who that is.

mod certificates;
mod names;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

pub use certificates::{BadFile, LoadedTls};
pub(crate) use certificates::{Certificates, validity};
pub(crate) use stream::Connection;

/// What gRPC is spoken in.
const PROTOCOL: &[u8] = b"h2";
/// How long a peer may take to agree on TLS.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// Peers that do so at one time; the next ones wait with the system.
const HANDSHAKES_MAX: usize = 512;
/// Connections that wait to be served.
const CONNECTIONS_WAITING_MAX: usize = 64;
/// Wait before the next connection is taken in if the system has no more files or memory for it.
const ACCEPT_WAIT: Duration = Duration::from_millis(200);

/// Who is at the other end of a connection. It is in the extensions of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The names in its certificate, which was verified: `dns:…`, `email:…`, `uri:…`. None without one.
    pub(crate) names: Arc<[String]>,
}

/// The connections of a listener, ready to be served.
pub(crate) struct Connections {
    ready: mpsc::Receiver<Connection>,
    _accepting: AbortOnDropHandle<()>,
}

impl Connections {
    /// Takes connections in, in plaintext without certificates.
    pub(crate) fn accept(listener: TcpListener, certificates: Option<Certificates>) -> Self {
        let (sender, ready) = mpsc::channel(CONNECTIONS_WAITING_MAX);
        let accepting = tokio::spawn(accept(listener, certificates, sender));
        Self {
            ready,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }
}

impl Stream for Connections {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.ready.poll_recv(cx).map(|ready| ready.map(Ok))
    }
}

async fn accept(
    listener: TcpListener,
    certificates: Option<Certificates>,
    ready: mpsc::Sender<Connection>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.try_join_next().is_some() {}
        if handshakes.len() == HANDSHAKES_MAX {
            handshakes.join_next().await;
        }
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_of_peer(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection in");
                tokio::time::sleep(ACCEPT_WAIT).await;
                continue;
            }
        };
        // Without it a small answer waits some 40 ms for the peer to acknowledge what was sent before.
        if stream.set_nodelay(true).is_err() {
            continue; // It has gone already.
        }
        match &certificates {
            None => {
                let connection = Connection::plain(stream, address);
                if ready.send(connection).await.is_err() {
                    return;
                }
            }
            Some(certificates) => {
                let (acceptor, ready) = (certificates.acceptor(), ready.clone());
                handshakes.spawn(async move {
                    let handshake = handshake(acceptor, stream, address);
                    match tokio::time::timeout(HANDSHAKE_MAX, handshake).await {
                        Ok(Some(connection)) => _ = ready.send(connection).await,
                        Ok(None) => {}
                        Err(_) => tracing::info!(%address, "no secure connection: too slow"),
                    }
                });
            }
        }
    }
}

/// True if it is the peer's trouble, and the next one can be taken in at once.
fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
) -> Option<Connection> {
    let (error, mut stream) = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => match peer(&stream, address) {
            Ok(peer) => return Some(Connection::tls(stream, peer)),
            Err(error) => (error, stream.into_inner().0),
        },
        Err((error, stream)) => (error.to_string(), stream),
    };
    tracing::info!(%address, error, "no secure connection");
    // The peer is told why; that would be lost if what it has sent were not read.
    let _ = stream.shutdown().await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    None
}

fn peer(stream: &TlsStream<TcpStream>, address: SocketAddr) -> Result<Peer, String> {
    let (_, tls) = stream.get_ref();
    if tls.alpn_protocol() != Some(PROTOCOL) {
        return Err("the peer does not ask for HTTP/2".to_owned());
    }
    let names = match tls.peer_certificates() {
        Some([own, ..]) => names::of(own)?,
        _ => Arc::default(),
    };
    Ok(Peer { address, names })
}
