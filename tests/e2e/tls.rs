//! TLS between client and server: each thing that must not work beside its twin that does.

mod database;
mod peers;
mod principals;
mod rotation;

use std::net::SocketAddr;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa};
use seatwise_client::v1::ListCustomersRequest;
use seatwise_client::{Builder, Client, Code, Error};
use seatwise_server::server::Tls;

use crate::authority::{Authority, ClientAuth, Pair, ServerAuth, expire, postpone};
use crate::harness::{Harness, on_sqlite};
use crate::process::seatwise_at;

/// What a client of this server begins with.
fn builder(server: &Harness, authority: &Authority) -> Builder {
    to(server.address(), authority).token_file(server.admin_key())
}

fn to(address: SocketAddr, authority: &Authority) -> Builder {
    Client::builder(format!("https://{address}")).ca_pem(authority.pem())
}

/// Makes a call on a connection of its own.
async fn call(builder: Builder) -> Result<(), Error> {
    let client = builder.build()?;
    let listed = client.list_customers(ListCustomersRequest::default()).await;
    listed.map(drop)
}

fn assert_insecure(answer: Result<(), Error>, told: &str, case: &str) {
    let error = answer.expect_err(case);
    assert_eq!(error.code, Code::Tls, "{case}: {error}");
    assert!(error.message.contains(told), "{case}: {error}");
}

type Change = fn(&mut CertificateParams);

/// Certificates of an authority that are wrong in themselves, and what is said of each.
fn wrong(
    authority: &Authority,
    purpose: &ExtendedKeyUsagePurpose,
    other: &ExtendedKeyUsagePurpose,
) -> Vec<(&'static str, Pair)> {
    let issue = |change: Change| authority.issue(purpose.clone(), change);
    let below = |change: Change| authority.below(change).issue(purpose.clone(), |_| {});
    let no_authority: Change = |params| params.is_ca = IsCa::ExplicitNoCa;
    let mut deep = authority.below(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let middle = deep.pem();
    deep = deep.below(|_| {});
    let mut too_deep = deep.issue(purpose.clone(), |_| {});
    too_deep.certificate += &middle;
    vec![
        ("expired", issue(expire)),
        ("not good yet", issue(postpone)),
        ("of another purpose", authority.issue(other.clone(), |_| {})),
        (
            "an authority itself",
            issue(|params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }),
        ),
        ("signed by who is no authority", below(no_authority)),
        ("signed by an authority that has expired", below(expire)),
        ("below an authority that may have none below it", too_deep),
        (
            "without what is between",
            authority
                .below(|_| {})
                .issue(purpose.clone(), |_| {})
                .alone(),
        ),
        (
            "of another authority",
            Authority::new().issue(purpose.clone(), |_| {}),
        ),
        ("signed by itself", Pair::self_signed(purpose.clone())),
    ]
}

async fn a_client_refuses_what_is_not_its_server(server: &Harness) {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    for (case, pair) in wrong(&authority, &ServerAuth, &ClientAuth) {
        // The server itself would not serve all of these.
        let address = peers::server(&pair).await;
        let told = match case {
            "expired" => "has expired",
            "not good yet" => "not valid yet",
            "of another authority" | "signed by itself" | "without what is between" => {
                "an authority that is not trusted"
            }
            _ => "the server's certificate",
        };
        assert_insecure(call(to(address, &authority)).await, told, case);
    }
    let nameless = authority.issue(ServerAuth, |params| params.subject_alt_names.clear());
    let address = peers::server(&nameless).await;
    let told = "not for 127.0.0.1 but for no name at all";
    assert_insecure(call(to(address, &authority)).await, told, "nameless");
    // By this server the client gets as far as a call, which it does not answer.
    let address = peers::server(&authority.server()).await;
    let error = call(to(address, &authority)).await.expect_err("no call");
    assert_ne!(error.code, Code::Tls, "{error}");

    server
        .start_secure(authority.server().tls(folder.path()))
        .await;
    let good = || builder(server, &authority);
    call(good()).await.expect("an address of the certificate");
    let named = good().server_name("localhost");
    call(named).await.expect("a name of the certificate");
    let other = good().server_name("seats.example.com");
    let told = "not for seats.example.com but for";
    assert_insecure(call(other).await, told, "another name");
    let stranger = builder(server, &Authority::new());
    assert_insecure(call(stranger).await, "not trusted", "another authority");
    let system = Client::builder(format!("https://{}", server.address()));
    if let Ok(client) = system.build() {
        let listed = client.list_customers(ListCustomersRequest::default()).await;
        assert_insecure(listed.map(drop), "not trusted", "the system's authorities");
    }

    let below = authority.below(|_| {}).issue(ServerAuth, |_| {});
    server.stop().await;
    server.start_secure(below.tls(folder.path())).await;
    call(good()).await.expect("a chain of two");
}

async fn a_server_refuses_certificates_that_nobody_vouches_for(server: &Harness) {
    let (authority, clients) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("clients.pem");
    std::fs::write(&ca, clients.pem()).expect("written");
    let tls = Tls {
        client_ca: Some(ca),
        ..authority.server().tls(folder.path())
    };
    server.start_secure(tls).await;
    let with =
        |pair: Pair| builder(server, &authority).client_certificate_pem(pair.certificate, pair.key);
    for (case, pair) in wrong(&clients, &ClientAuth, &ServerAuth) {
        let told = "does not take the client's certificate";
        assert_insecure(call(with(pair)).await, told, case);
        // Nobody is the worse for it.
        call(with(clients.client())).await.expect(case);
    }
    let server_authority = authority.client();
    let told = "does not take";
    assert_insecure(
        call(with(server_authority)).await,
        told,
        "who vouches for servers",
    );
    let below = clients.below(|_| {}).issue(ClientAuth, |_| {});
    call(with(below)).await.expect("a chain of two");
    // These prove nothing, and are no harm.
    let nameless = clients.issue(ClientAuth, |params| params.subject_alt_names.clear());
    call(with(nameless))
        .await
        .expect("a certificate without a name");
    call(builder(server, &authority))
        .await
        .expect("no certificate");

    let (one, other) = (clients.client(), clients.client());
    let mixed = with(Pair {
        certificate: one.certificate,
        key: other.key,
    });
    let error = mixed.build().expect_err("the key of another");
    assert!(error.message.contains("is not that of"), "{error}");
}

#[expect(clippy::too_many_lines, reason = "a table")]
async fn files_that_cannot_be_served_are_named(server: &Harness) {
    let authority = Authority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let good = authority.server();
    let tls = || Tls {
        client_ca: Some(folder.path().join("ca.pem")),
        ..good.tls(folder.path())
    };
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write("ca.pem", &authority.pem());
    tls().load().expect("good files");
    let expired = authority.issue(ServerAuth, expire).certificate;
    let early = authority.issue(ServerAuth, postpone).certificate;
    let old_authority = authority.below(expire).issue(ServerAuth, |_| {});
    let half = |text: &str| text[..text.len() / 2].to_owned();
    for (flag, name, text, told) in [
        (
            "tls-certificate",
            "cert.pem",
            String::new(),
            "no certificate",
        ),
        (
            "tls-certificate",
            "cert.pem",
            "rubbish".to_owned(),
            "no certificate",
        ),
        (
            "tls-certificate",
            "cert.pem",
            half(&good.certificate),
            "PEM",
        ),
        (
            "tls-certificate",
            "cert.pem",
            good.key.clone(),
            "no certificate",
        ),
        (
            "tls-certificate",
            "cert.pem",
            expired,
            "has expired, at 2020-02-01",
        ),
        (
            "tls-certificate",
            "cert.pem",
            early,
            "not good before 2100-01-01",
        ),
        (
            "tls-certificate",
            "cert.pem",
            old_authority.certificate,
            "has expired",
        ),
        ("tls-key", "key.pem", String::new(), "no private key"),
        ("tls-key", "key.pem", half(&good.key), "no private key"),
        (
            "tls-key",
            "key.pem",
            good.certificate.clone(),
            "no private key",
        ),
        (
            "tls-key",
            "key.pem",
            authority.server().key,
            "not the key of",
        ),
        ("client-ca", "ca.pem", String::new(), "no certificate"),
        ("client-ca", "ca.pem", half(&authority.pem()), "PEM"),
    ] {
        let files = tls();
        write(name, &text);
        let error = files.load().expect_err(told).to_string();
        let path = folder.path().join(name);
        let begin = format!("--{flag} {}: ", path.display());
        assert!(error.starts_with(&begin) && error.contains(told), "{error}");
        write("ca.pem", &authority.pem());
        tls().load().expect("good files again");
    }
    let missing = Tls {
        certificate: folder.path().join("nowhere.pem"),
        ..tls()
    };
    let error = missing.load().expect_err("no file").to_string();
    assert!(error.contains("nowhere.pem: No such file"), "{error}");
    server.start_secure(tls()).await;
}

async fn the_command_line_connects_securely(server: &Harness) {
    let (authority, clients) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("ca.pem"), authority.pem()).expect("written");
    std::fs::write(path("clients.pem"), clients.pem()).expect("written");
    let tls = Tls {
        client_ca: Some(Path::new(&path("clients.pem")).to_owned()),
        ..authority.server().tls(folder.path())
    };
    server.start_secure(tls).await;
    let own = folder.path().join("own");
    std::fs::create_dir(&own).expect("made");
    let [certificate, key] = clients.client().write(&own);
    let [certificate, key] = [&certificate, &key].map(|path| path.display().to_string());
    let address = server.address().to_string();
    let (url, plain) = (format!("https://{address}"), format!("http://{address}"));
    let ca = path("ca.pem");
    let run = async |endpoint: &str, arguments: &[&str]| {
        let arguments = [&["customers", "list"], arguments].concat();
        let (code, _, said) = seatwise_at(server, endpoint, &arguments).await;
        (code, said)
    };
    let identity = ["--client-cert", &certificate, "--client-key", &key];
    for arguments in [
        &["--ca", &ca][..],
        &["--ca", &ca, "--server-name", "localhost"],
        &[&["--ca", &ca], &identity[..]].concat(),
    ] {
        assert_eq!(run(&url, arguments).await, (0, String::new()));
        // Without a scheme it is meant to be secure.
        assert_eq!(run(&address, arguments).await, (0, String::new()));
    }
    for (endpoint, arguments, told) in [
        (&url, &["--ca", "/nowhere.pem"][..], "/nowhere.pem"),
        (
            &url,
            &["--ca", &ca, "--server-name", "example.com"],
            "not for example.com",
        ),
        (&url, &["--ca", &path("clients.pem")], "not trusted"),
        (
            &url,
            &["--ca", &ca, "--client-cert", &certificate],
            "--client-key",
        ),
        (&plain, &["--ca", &ca], "https://"),
        (
            &url,
            &["--ca", &ca, "--token-file", "/nowhere.key"],
            "/nowhere.key",
        ),
    ] {
        let (code, said) = run(endpoint, arguments).await;
        assert!(code != 0 && said.contains(told), "{code} {said}");
    }
}

on_sqlite![
    a_client_refuses_what_is_not_its_server,
    a_server_refuses_certificates_that_nobody_vouches_for,
    files_that_cannot_be_served_are_named,
    the_command_line_connects_securely,
];
