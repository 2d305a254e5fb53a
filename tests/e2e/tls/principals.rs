//! Client certificates say who calls; grants say what they may do.

use rcgen::SanType;
use seatwise_client::v1::principal::Kind;
use seatwise_client::v1::{
    CreatePrincipalRequest, ErrorReason, GetCallerRequest, GetCustomerRequest, NewGrant, Role,
};
use seatwise_client::{Client, Code, Error};
use seatwise_server::server::Tls;

use super::{builder, to};
use crate::authority::{Authority, ClientAuth, Pair};
use crate::colleague::for_customer;
use crate::harness::{Harness, on_sqlite};

/// A certificate with these names and no others.
fn named(authority: &Authority, names: Vec<SanType>) -> Pair {
    authority.issue(ClientAuth, |params| params.subject_alt_names = names)
}

fn text(name: &str) -> rcgen::string::Ia5String {
    name.try_into().expect("ASCII")
}

async fn create(admin: &Client, name: &str, grants: Vec<NewGrant>) {
    let request = CreatePrincipalRequest {
        kind: Kind::Certificate.into(),
        name: name.to_owned(),
        grants,
        comment: String::new(),
    };
    admin.create_principal(request).await.expect("created");
}

async fn who(client: &Client) -> Result<String, Error> {
    let caller = client.get_caller(GetCallerRequest {}).await?;
    Ok(caller.principal.expect("somebody").name)
}

async fn a_certificate_says_who_calls(server: &Harness) {
    let (authority, clients) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("clients.pem");
    std::fs::write(&ca, clients.pem()).expect("written");
    let tls = Tls {
        client_ca: Some(ca),
        ..authority.server().tls(folder.path())
    };
    server.start_secure(tls).await;
    let admin = builder(server, &authority).build().expect("a client");
    let customer = admin.create_customer(seatwise_client::v1::CreateCustomerRequest {
        display_name: "Example".to_owned(),
        ..Default::default()
    });
    let customer = customer.await.expect("a customer").customer_id;
    let grant = || vec![for_customer(Role::Reader, &customer, None)];
    let by = |pair: Pair| {
        let bare = to(server.address(), &authority);
        let bare = bare.client_certificate_pem(pair.certificate, pair.key);
        bare.build().expect("a client")
    };
    let see = async |client: &Client| {
        let request = GetCustomerRequest {
            customer_id: customer.clone(),
        };
        let seen = client.get_customer(request).await;
        seen.map(drop).map_err(|error| (error.code, error.reason))
    };
    let dns = |name: &str| SanType::DnsName(text(name));
    let spiffe = SanType::URI(text("spiffe://example.com/payroll"));
    let mail = SanType::Rfc822Name(text("ada@example.com"));
    let denied = Err((Code::PermissionDenied, ErrorReason::PermissionDenied));
    for (name, names) in [
        ("dns:one.example.com", vec![dns("One.Example.com")]),
        (
            "uri:spiffe://example.com/payroll",
            vec![dns("other.example.com"), spiffe.clone(), spiffe],
        ),
        ("email:ada@example.com", vec![mail]),
    ] {
        let client = by(named(&clients, names));
        assert_eq!(see(&client).await, denied, "{name} before it is known");
        create(&admin, name, grant()).await;
        assert_eq!(see(&client).await, Ok(()), "{name}");
        assert_eq!(who(&client).await.expect("a caller"), name);
    }
    // Who has no name, or two that are known, is nobody.
    create(&admin, "dns:two.example.com", grant()).await;
    let two = vec![dns("one.example.com"), dns("two.example.com")];
    for (names, problem) in [(Vec::new(), "missing"), (two, "invalid")] {
        let error = who(&by(named(&clients, names))).await.expect_err(problem);
        assert_eq!(error.code, Code::Unauthenticated, "{error}");
        assert_eq!(error.metadata["problem"], problem);
    }
    // A name that begins alike, or is written otherwise, is another.
    for name in [
        "one.example.com.evil.test",
        "ne.example.com",
        "*.example.com",
    ] {
        let client = by(named(&clients, vec![dns(name)]));
        assert_eq!(see(&client).await, denied, "{name}");
    }
    // What is shown on purpose goes before the certificate.
    let pair = named(&clients, vec![dns("one.example.com")]);
    let both = builder(server, &authority).client_certificate_pem(pair.certificate, pair.key);
    let both = both.build().expect("a client");
    assert_eq!(who(&both).await.expect("a caller"), "admin");
}

on_sqlite![a_certificate_says_who_calls,];
