//! Certificates, keys and folders, good and broken.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// A folder with good and broken files.
pub(super) fn files() -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        set_mode(&path, mode);
    };
    let years = [
        ("good", 2020, 2200),
        ("expired", 2020, 2021),
        ("early", 2200, 2201),
    ];
    for (name, from, until) in years {
        let (certificate, key) = certificate(from, until, IsCa::NoCa);
        write(&format!("{name}.pem"), &certificate, 0o644);
        write(&format!("{name}.key"), &key, 0o600);
        if name == "good" {
            write("both.pem", &format!("{key}{certificate}"), 0o600);
            write("seen.key", &key, 0o644);
            let (start, rest) = certificate.split_at(100);
            write("cut.pem", &format!("{start}{}", &rest[200..]), 0o644);
        }
    }
    let (authority, _) = certificate(2020, 2200, IsCa::Ca(BasicConstraints::Unconstrained));
    write("ca.pem", &authority, 0o644);
    let rubbish = "-----BEGIN CERTIFICATE-----\ncnViYmlzaA==\n-----END CERTIFICATE-----\n";
    write("rubbish.pem", rubbish, 0o644);
    for (name, mode) in [("anybodys", 0o777), ("sticky", 0o1777)] {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).expect("the folder is ours");
        set_mode(&path, mode);
    }
    write("sticky/seen.db", "", 0o644);
    folder
}

fn certificate(from: i32, until: i32, is_ca: IsCa) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    params.is_ca = is_ca;
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).expect("the file is ours");
}
