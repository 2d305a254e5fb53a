//! TLS of the client's connections: whom it trusts, what it shows, and what went wrong.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

use crate::Error;
use crate::token::BoxError;

/// What gRPC is spoken in.
const PROTOCOL: &[u8] = b"h2";

/// Why there is no secure connection to the server, since it was last heard. HTTP/2 does not pass that on to
/// the calls that wait for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    pub(crate) fn told(&self) -> Option<String> {
        self.problem().clone()
    }

    fn problem(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is wrong, if it is something about TLS.
    fn keep(&self, error: &io::Error) {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        if let Some(error) = inner {
            *self.problem() = Some(problem(error));
        }
    }
}

/// Something in PEM.
#[derive(Clone)]
pub(crate) enum Pem {
    File(PathBuf),
    Text(Vec<u8>),
}

impl Pem {
    fn read(&self, what: &str) -> Result<Vec<u8>, Error> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => std::fs::read(path).map_err(|error| {
                Error::endpoint(format!(
                    "cannot read the {what} {}: {error}",
                    path.display()
                ))
            }),
        }
    }

    fn certificates(&self, what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
        let text = self.read(what)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let certificates =
            certificates.map_err(|error| Error::endpoint(format!("{self}: {error}")))?;
        if certificates.is_empty() {
            let problem = format!("{self}: there is no certificate in it, in PEM");
            return Err(Error::endpoint(problem));
        }
        Ok(certificates)
    }

    fn key(&self, what: &str) -> Result<PrivateKeyDer<'static>, Error> {
        let key = PrivateKeyDer::from_pem_slice(&self.read(what)?);
        key.map_err(|error| {
            Error::endpoint(format!(
                "{self}: there is no private key in it, in PEM: {error}"
            ))
        })
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Text(_) => f.write_str("the PEM text"),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({self})")
    }
}

/// What is special about TLS to this server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tls {
    /// Whom to trust; those whom the system trusts if not set.
    pub(crate) authorities: Option<Pem>,
    /// The client's own certificate and its key.
    pub(crate) identity: Option<(Pem, Pem)>,
    /// The name that the server's certificate must be for; the endpoint's host if not set.
    pub(crate) server_name: Option<String>,
}

impl Tls {
    pub(crate) fn is_default(&self) -> bool {
        self.authorities.is_none() && self.identity.is_none() && self.server_name.is_none()
    }

    /// Makes what connects to the endpoint.
    pub(crate) fn connector(&self, endpoint: &Uri) -> Result<Connector, Error> {
        let host = endpoint.host().unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        let name = self.server_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name)
            .map_err(|error| Error::endpoint(format!("the server's name: {error}")))?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        Ok(Connector {
            http,
            tls: TlsConnector::from(Arc::new(self.config()?)),
            name,
            trouble: Trouble::default(),
        })
    }

    fn config(&self) -> Result<ClientConfig, Error> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows both versions")
            .with_root_certificates(self.roots()?);
        let mut config = match &self.identity {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificate.certificates("client certificate")?;
                let config = config.with_client_auth_cert(chain, key.key("client key")?);
                config.map_err(|error| {
                    Error::endpoint(match error {
                        rustls::Error::InconsistentKeys(_) => {
                            format!("the key of {key} is not that of the certificate {certificate}")
                        }
                        error => format!("the client certificate {certificate}: {error}"),
                    })
                })?
            }
        };
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        let Some(authorities) = &self.authorities else {
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
            if roots.is_empty() {
                return Err(Error::endpoint(
                    "this system knows no certificate authorities; give those to trust",
                ));
            }
            return Ok(roots);
        };
        for certificate in authorities.certificates("certificate authorities")? {
            let added = roots.add(certificate);
            added.map_err(|error| Error::endpoint(format!("{authorities}: {error}")))?;
        }
        Ok(roots)
    }
}

/// Connects to the server and agrees with it on TLS.
#[derive(Clone)]
pub(crate) struct Connector {
    http: HttpConnector,
    tls: TlsConnector,
    name: ServerName<'static>,
    pub(crate) trouble: Trouble,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, endpoint: Uri) -> Self::Future {
        let Self {
            tls, name, trouble, ..
        } = self.clone();
        let connect = self.http.call(endpoint);
        Box::pin(async move {
            let connected = connect.await;
            if connected.is_err() {
                *trouble.problem() = None;
            }
            let stream = tls.connect(name, connected?.into_inner()).await;
            let stream = stream.inspect_err(|error| trouble.keep(error))?;
            if stream.get_ref().1.alpn_protocol() != Some(PROTOCOL) {
                *trouble.problem() = Some(problem(&rustls::Error::NoApplicationProtocol));
                return Err(rustls::Error::NoApplicationProtocol.into());
            }
            Ok(TokioIo::new(Stream {
                stream,
                trouble,
                is_heard: false,
            }))
        })
    }
}

/// A connection that keeps what is wrong. A server may complain of the client's certificate only after the
/// client has begun to write.
pub(crate) struct Stream {
    stream: TlsStream<TcpStream>,
    trouble: Trouble,
    /// The server takes the connection: it has sent something.
    is_heard: bool,
}

impl Stream {
    /// The server has gone; what it said last tells why.
    fn hear_last(&mut self, cx: &mut Context<'_>) {
        let mut space = [0; 1024];
        let _ = Pin::new(self).poll_read(cx, &mut ReadBuf::new(&mut space));
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        match &read {
            Err(error) => self.trouble.keep(error),
            Ok(()) if !self.is_heard && buf.filled().len() > before => {
                self.is_heard = true;
                *self.trouble.problem() = None;
            }
            Ok(()) => {}
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(written.inspect_err(|_| self.hear_last(cx)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(flushed.inspect_err(|_| self.hear_last(cx)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What is wrong, and what to do about it.
fn problem(error: &rustls::Error) -> String {
    use AlertDescription as Alert;
    use CertificateError as Bad;
    use rustls::Error as E;
    match error {
        // The second: another authority of the same name.
        E::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => {
            "the server's certificate is from an authority that is not trusted here; \
             give the certificate of that authority if it is the right one"
                .to_owned()
        }
        E::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "the server's certificate has expired".to_owned()
        }
        E::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet".to_owned()
        }
        E::InvalidCertificate(Bad::NotValidForNameContext {
            expected,
            presented,
        }) => {
            let expected = expected.to_str();
            let names = match presented.as_slice() {
                [] => "no name at all".to_owned(),
                names => names.join(", "),
            };
            format!("the server's certificate is not for {expected} but for {names}")
        }
        E::InvalidCertificate(bad) => format!("the server's certificate is refused: {bad}"),
        E::InvalidMessage(_) => {
            "the server does not speak TLS there; if that is meant, the endpoint is http://"
                .to_owned()
        }
        E::AlertReceived(Alert::CertificateRequired) => {
            "the server asks for a client certificate".to_owned()
        }
        E::AlertReceived(
            alert @ (Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::DecryptError
            | Alert::AccessDenied),
        ) => format!("the server does not take the client's certificate ({alert:?})"),
        E::AlertReceived(Alert::NoApplicationProtocol) | E::NoApplicationProtocol => {
            "the server does not speak HTTP/2 there".to_owned()
        }
        E::AlertReceived(alert) => format!("the server refuses the connection ({alert:?})"),
        error => error.to_string(),
    }
}
