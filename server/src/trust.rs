//! Whom to trust: the certificate authorities of this machine or of a file, and addresses that nobody else
//! can answer for.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use http::Uri;
use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The cryptography of all TLS.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates of a text in PEM: at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err("there is no certificate in it, in PEM".to_owned())
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("it is no certificate in PEM: {error}")),
    }
}

/// The authorities of a text in PEM.
pub(crate) fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        let added = roots.add(certificate);
        added.map_err(|error| format!("a certificate in it is malformed: {error}"))?;
    }
    Ok(roots)
}

/// The authorities of a file.
pub(crate) fn authorities_of(path: &Path) -> Result<RootCertStore, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string());
    let roots = pem.and_then(|pem| authorities(&pem));
    roots.map_err(|problem| format!("{}: {problem}", path.display()))
}

/// True if nobody else can answer for this address: by `https`, or on this machine.
pub(crate) fn is_trustworthy(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    match url.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => host == "localhost" || address.is_ok_and(|address| address.is_loopback()),
        _ => false,
    }
}

/// The authorities that this machine trusts.
pub(crate) fn system() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this machine knows no certificate authorities; name a file".to_owned());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_trusted_with_keys() {
        for (url, is_good) in [
            ("https://id.example.com/keys", true),
            ("http://127.0.0.1:8080/keys", true),
            ("http://[::1]:8080/keys", true),
            ("http://localhost/keys", true),
            ("http://id.example.com/keys", false),
            ("http://127.0.0.1.example.com/keys", false),
            ("http://localhost.example.com", false),
            ("http://localhost@example.com", false),
            ("file:///etc/keys", false),
            ("id.example.com", false),
            ("https://", false),
            ("", false),
        ] {
            assert_eq!(
                url.parse().is_ok_and(|url| is_trustworthy(&url)),
                is_good,
                "{url}"
            );
        }
    }
}
