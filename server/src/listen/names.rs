//! Whom a certificate is for.

use std::sync::Arc;

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Names that one certificate may have.
pub(super) const NAMES_MAX: usize = 32;

/// The subject alternative names of a certificate that can be a principal's, each with its kind.
pub(super) fn of(certificate: &[u8]) -> Result<Arc<[String]>, String> {
    let malformed = |error| format!("the peer's certificate is malformed: {error}");
    let certificate = Certificate::from_der(certificate).map_err(malformed)?;
    let names = certificate.tbs_certificate.get::<SubjectAltName>();
    let names = names.map_err(malformed)?;
    let names = names
        .into_iter()
        .flat_map(|(_, SubjectAltName(names))| names);
    let names: Arc<[String]> = names.filter_map(|name| known(&name)).collect();
    if names.len() > NAMES_MAX {
        let count = names.len();
        return Err(format!(
            "the peer's certificate has {count} names, at most {NAMES_MAX} count"
        ));
    }
    Ok(names)
}

fn known(name: &GeneralName) -> Option<String> {
    match name {
        // The case of such a name means nothing.
        GeneralName::DnsName(name) => Some(format!("dns:{}", name.as_str().to_ascii_lowercase())),
        GeneralName::Rfc822Name(name) => Some(format!("email:{}", name.as_str())),
        GeneralName::UniformResourceIdentifier(name) => Some(format!("uri:{}", name.as_str())),
        _ => None,
    }
}
