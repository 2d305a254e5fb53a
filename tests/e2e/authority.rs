//! A local certificate authority, and what it signs, rightly or not.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, date_time_ymd,
};
use seatwise_server::server::Tls;
use uuid::Uuid;

pub(crate) use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};

/// An authority; one that is not at the top has its own certificate in the chains that it signs.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    is_root: bool,
}

/// A certificate chain and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let issuer = CertifiedIssuer::self_signed(authority(), new_key());
        Self {
            issuer: issuer.expect("an authority"),
            is_root: true,
        }
    }

    /// An authority below this one, with something about it changed.
    pub(crate) fn below(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority();
        change(&mut params);
        let issuer = CertifiedIssuer::signed_by(params, new_key(), &self.issuer);
        Self {
            issuer: issuer.expect("an authority"),
            is_root: false,
        }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A good certificate of a server on this machine.
    pub(crate) fn server(&self) -> Pair {
        self.issue(ServerAuth, |_| {})
    }

    /// A good certificate of a client.
    pub(crate) fn client(&self) -> Pair {
        self.issue(ClientAuth, |_| {})
    }

    /// A certificate with something about it changed.
    pub(crate) fn issue(
        &self,
        purpose: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let mut params = leaf(purpose);
        change(&mut params);
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer);
        let mut certificate = certificate.expect("a certificate").pem();
        if !self.is_root {
            certificate += &self.pem();
        }
        Pair {
            certificate,
            key: key.serialize_pem(),
        }
    }
}

impl Pair {
    /// A certificate that nobody vouches for.
    pub(crate) fn self_signed(purpose: ExtendedKeyUsagePurpose) -> Self {
        let key = new_key();
        let certificate = leaf(purpose).self_signed(&key).expect("a certificate");
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Without what is between the certificate and its authority.
    pub(crate) fn alone(&self) -> Self {
        const END: &str = "-----END CERTIFICATE-----";
        let (own, _) = self.certificate.split_once(END).expect("a certificate");
        Self {
            certificate: format!("{own}{END}\n"),
            key: self.key.clone(),
        }
    }

    /// Writes both into a folder, one after the other.
    pub(crate) fn write(&self, folder: &Path) -> [PathBuf; 2] {
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
        std::fs::write(&certificate, &self.certificate).expect("written");
        std::fs::write(&key, &self.key).expect("written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&key, private).expect("it is ours");
        }
        [certificate, key]
    }

    /// As files of a server.
    pub(crate) fn tls(&self, folder: &Path) -> Tls {
        let [certificate, key] = self.write(folder);
        Tls {
            certificate,
            key,
            client_ca: None,
            allow_tls12: false,
        }
    }
}

/// Makes it one that has expired.
pub(crate) fn expire(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2020, 2, 1);
}

/// Makes it one that is not good yet.
pub(crate) fn postpone(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2100, 1, 1);
    params.not_after = date_time_ymd(2100, 2, 1);
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// Each has a name of its own.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::new([]).expect("no names");
    let name = format!("Authority {}", Uuid::new_v4());
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn leaf(purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let address = SanType::IpAddress([127, 0, 0, 1].into());
    params.subject_alt_names.push(address);
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    params.extended_key_usages = vec![purpose];
    params
}
