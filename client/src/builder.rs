//! The description of a connection: to which server, whom to trust, and what to show.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use tonic::transport::Endpoint;

use crate::tls::{Pem, Tls, Trouble};
use crate::token::{BoxError, Source};
use crate::{Client, Error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const RESUME_FOR: Duration = Duration::from_secs(300);
/// A silent server is asked whether it is there, so that a dead one is noticed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(15);

/// Describes a connection.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    endpoint: String,
    connect_timeout: Duration,
    call_timeout: Duration,
    resume_for: Duration,
    tokens: Source,
    allows_plaintext_token: bool,
    tls: Tls,
    language: Option<String>,
}

impl Builder {
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            connect_timeout: CONNECT_TIMEOUT,
            call_timeout: CALL_TIMEOUT,
            resume_for: RESUME_FOR,
            tokens: Source::None,
            allows_plaintext_token: false,
            tls: Tls::default(),
            language: None,
        }
    }

    /// How long a connection may take to be made. 5 seconds if not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a call may take; streams of results may take as long as they need. 30 seconds if
    /// not set.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// How long a stream of results keeps trying to resume without getting anywhere. 5 minutes if
    /// not set.
    pub fn resume_for(mut self, patience: Duration) -> Self {
        self.resume_for = patience;
        self
    }

    /// The token to send with every call: an API key, or a JWT that is good for as long as the client is
    /// used. The last of `token`, `token_file` and `token_source` counts.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens = Source::Fixed(token.into());
        self
    }

    /// A file with the token. It is read for each call and can be replaced at any time. While it is not
    /// there, calls are made without a token.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tokens = Source::File(path.into());
        self
    }

    /// Who gives the token: it is asked before the first call, and again when the server does not take the
    /// last answer any more, as that of a JWT that has expired. Such a call is made once again, and a stream
    /// that was ended by it goes on. Calls at the same time wait for the same answer.
    ///
    /// ```no_run
    /// # async fn token_of_the_issuer() -> Result<String, std::io::Error> { Ok("a.b.c".to_owned()) }
    /// # use seatwise_client::Client;
    /// let builder = Client::builder("https://seats.example.com")
    ///     .token_source(|| async { Ok(token_of_the_issuer().await?) });
    /// ```
    pub fn token_source<F, A>(mut self, source: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        self.tokens = Source::asked(source);
        self
    }

    /// Sends the token even if it can be read on its way: over `http://` to an address that is not loopback.
    pub fn allow_plaintext_token(mut self) -> Self {
        self.allows_plaintext_token = true;
        self
    }

    /// A file with the certificate authorities, in PEM, that the server's certificate may be from. Those
    /// that the system trusts if not set. Only for `https://`.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.authorities = Some(Pem::File(path.into()));
        self
    }

    /// The same as text.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.authorities = Some(Pem::Text(pem.into()));
        self
    }

    /// Files with the certificate to show to the server, followed by those between it and its authority,
    /// and with its private key, in PEM. They are read when the client is built. Only for `https://`.
    pub fn client_certificate_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.tls.identity = Some((Pem::File(certificate.into()), Pem::File(key.into())));
        self
    }

    /// The same as text.
    pub fn client_certificate_pem(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.tls.identity = Some((Pem::Text(certificate.into()), Pem::Text(key.into())));
        self
    }

    /// The name that the server's certificate must be for, if not the host of the endpoint. Only for
    /// `https://`.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.tls.server_name = Some(name.into());
        self
    }

    /// The language of texts for people, as `nl`, or several as `nl-BE, en;q=0.5`. What the service
    /// does not speak, and nothing set, is English.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Makes the client. The connection is made with the first call, and again whenever it is lost.
    ///
    /// # Errors
    /// If the endpoint is not a URL, a certificate or key cannot be read or used, the token would be sent
    /// in the clear, or the token or the language holds characters that cannot be sent.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = Endpoint::from_shared(self.endpoint).map_err(Error::endpoint)?;
        let endpoint = endpoint
            .connect_timeout(self.connect_timeout)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        self.tokens.check()?;
        let uri = endpoint.uri();
        let (channel, trouble) = if uri.scheme_str() == Some("https") {
            let connector = self.tls.connector(uri)?;
            let trouble = connector.trouble.clone();
            (endpoint.connect_with_connector_lazy(connector), trouble)
        } else {
            if !self.tls.is_default() {
                let problem = "certificates and names of servers are for https:// only";
                return Err(Error::endpoint(problem));
            }
            let has_token = !matches!(self.tokens, Source::None);
            if has_token && !self.allows_plaintext_token && !is_loopback(uri) {
                return Err(Error::endpoint(format!(
                    "a token to {uri} could be read on its way; use https://, or allow it with allow_plaintext_token"
                )));
            }
            (endpoint.connect_lazy(), Trouble::default())
        };
        let language = self.language.map(|language| language.parse());
        let language = language
            .transpose()
            .map_err(|_| Error::endpoint("the language is not ASCII"))?;
        Ok(Client {
            channel,
            trouble,
            tokens: self.tokens,
            language,
            call_timeout: self.call_timeout,
            resume_for: self.resume_for,
        })
    }
}

/// True if what is sent there does not leave this machine.
fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_is_not_sent_in_the_clear_to_another_machine() {
        for (endpoint, is_safe) in [
            ("http://127.0.0.1:7400", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:7400", true),
            ("http://LOCALHOST:7400", true),
            ("https://seats.example.com", true),
            ("http://seats.example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:7400", false),
            ("http://0.0.0.0:7400", false),
            ("http://[::]:7400", false),
            ("http://[fe80::1]:7400", false),
        ] {
            let builder = || Client::builder(endpoint);
            for named in [
                builder().token("canary"),
                builder().token_file("/nowhere"),
                builder().token_source(|| async { Ok("canary".to_owned()) }),
            ] {
                let built = named.clone().build();
                assert_eq!(built.is_ok(), is_safe, "{endpoint}");
                named.allow_plaintext_token().build().expect("allowed");
                if let Err(error) = built {
                    assert!(error.message.contains("https://"), "{error}");
                    assert!(!error.message.contains("canary"), "{error}");
                }
            }
            builder().build().expect("without a token");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_named() {
        let secure = || Client::builder("https://localhost");
        for (builder, told) in [
            (
                Client::builder("http://localhost").server_name("x"),
                "https://",
            ),
            (Client::builder("http://localhost").ca_pem("x"), "https://"),
            (Client::builder("no url"), "endpoint"),
            (secure().ca_file("/nowhere/ca.pem"), "/nowhere/ca.pem"),
            (secure().ca_pem("rubbish"), "no certificate"),
            (
                secure().client_certificate_files("/nowhere/c", "/nowhere/k"),
                "/nowhere/c",
            ),
            (
                secure().client_certificate_pem("rubbish", "rubbish"),
                "no certificate",
            ),
            (secure().server_name("not a name"), "name"),
            (secure().token("two\nlines"), "token"),
            (secure().language("\u{e9}\n"), "language"),
        ] {
            let error = builder.build().expect_err(told);
            assert!(error.message.contains(told), "{error}");
        }
    }
}
