//! Fetches a key set: one GET on a connection of its own, bounded in time and size, from exactly the address
//! that is configured. No redirects, no proxies, no connections that are kept.

use std::fs;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::Problem;
use super::key_set::Waits;
use crate::config::Issuer;
use crate::trust;

/// Largest key set. 32 keys with certificates have some 50 KiB.
const KEY_SET_BYTES_MAX: usize = 64 * 1024;
/// Largest head of an answer.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Why a key set could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    #[error("no connection in time")]
    ConnectTimeout,
    #[error("no answer in time")]
    AnswerTimeout,
    #[error("answered {0}")]
    Status(StatusCode),
    #[error("larger than {KEY_SET_BYTES_MAX} bytes")]
    TooLarge,
    #[error("broken answer: {0}")]
    Http(String),
}

/// Where a key set is fetched.
pub(super) struct Source {
    url: Uri,
    host: String,
    port: u16,
    /// Plain HTTP without it, and to a loopback address only.
    tls: Option<(TlsConnector, ServerName<'static>)>,
    waits: Waits,
}

impl Source {
    pub(super) fn new(issuer: &Issuer, waits: Waits) -> Result<Self, Problem> {
        let wrong = |problem| Problem::KeysUrl {
            url: issuer.keys_url.clone(),
            problem,
        };
        let url: Uri = issuer
            .keys_url
            .parse()
            .map_err(|_| wrong("not an address"))?;
        let authority = url.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(wrong("remove the user and password from it"));
        }
        let host = url.host().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| wrong("it has no usable host; write https://HOST/PATH"))?;
        if !trust::is_trustworthy(&url) {
            return Err(wrong("use https://, or http:// of a loopback address"));
        }
        let (tls, port) = match url.scheme_str() {
            Some("https") => (Some((connector(issuer)?, name)), 443),
            _ => (None, 80),
        };
        Ok(Self {
            port: url.port_u16().unwrap_or(port),
            url,
            host,
            tls,
            waits,
        })
    }

    /// The address, for the log.
    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    /// Fetches the key set.
    pub(super) async fn read(&self) -> Result<Bytes, Error> {
        let read = async {
            let waits = self.waits.connect;
            let late = |_| Error::ConnectTimeout;
            let address = (self.host.as_str(), self.port);
            match &self.tls {
                None => {
                    let connect = TcpStream::connect(address);
                    get(&self.url, timeout(waits, connect).await.map_err(late)??).await
                }
                Some((tls, name)) => {
                    let connect = async {
                        let stream = TcpStream::connect(address).await?;
                        tls.connect(name.clone(), stream).await
                    };
                    get(&self.url, timeout(waits, connect).await.map_err(late)??).await
                }
            }
        };
        let late = |_| Error::AnswerTimeout;
        timeout(self.waits.answer, read).await.map_err(late)?
    }
}

async fn get<S>(url: &Uri, stream: S) -> Result<Bytes, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Error::Http(error.to_string());
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX);
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(broken)?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let host = url.authority().map_or("", |authority| authority.as_str());
    let request = Request::get(path)
        .header(HOST, host)
        .header(ACCEPT, "application/jwk-set+json, application/json")
        .header(USER_AGENT, concat!("seatwise/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .expect("a URL has a path and a host that can be sent");
    let answer = sender.send_request(request).await.map_err(broken)?;
    if answer.status() != StatusCode::OK {
        return Err(Error::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), KEY_SET_BYTES_MAX)
        .collect()
        .await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => Error::TooLarge,
        false => Error::Http(error.to_string()),
    })?;
    Ok(body.to_bytes())
}

/// TLS that trusts those who vouch for the issuer.
fn connector(issuer: &Issuer) -> Result<TlsConnector, Problem> {
    let config = ClientConfig::builder_with_provider(trust::provider())
        .with_safe_default_protocol_versions()
        .expect("the provider knows both versions")
        .with_root_certificates(roots(issuer)?)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots(issuer: &Issuer) -> Result<RootCertStore, Problem> {
    let Some(path) = &issuer.ca else {
        return trust::system().map_err(|_| Problem::NoRoots);
    };
    let pem = fs::read(path).map_err(|error| error.to_string());
    let roots = pem.and_then(|pem| trust::authorities(&pem));
    roots.map_err(|problem| Problem::Ca {
        path: path.clone(),
        problem,
    })
}
