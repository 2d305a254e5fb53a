//! Certificates that are replaced while calls and streams run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS13;
use seatwise_client::v1::ListCustomersRequest;

use super::{builder, call, peers};
use crate::authority::{Authority, Pair};
use crate::customer::{assert_complete, read};
use crate::fixtures::product::NOTES;
use crate::fixtures::{assign, user_ids};
use crate::harness::{Harness, on_sqlite};

const USERS: usize = 5_000;

/// Waits until the server shows this certificate.
async fn until_served(server: &Harness, authority: &Authority, pair: &Pair) {
    let expected = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
    let expected = expected.expect("a certificate");
    loop {
        let stream = peers::connect(server, authority, &[&TLS13], &["h2"]).await;
        let stream = stream.expect("the server is there");
        let (_, tls) = stream.get_ref();
        let shown = tls.peer_certificates().expect("a certificate");
        if shown[0] == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn no_call_fails_while_certificates_are_replaced(server: &Harness) {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(NOTES, 5_000).await;
    server.stop().await;
    let tls = authority.server().tls(folder.path());
    server.start_secure(tls).await;
    let client = builder(server, &authority).build().expect("a client");

    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = async |is_new: bool| {
        while !stop.load(Ordering::Relaxed) {
            if is_new {
                let answer = call(builder(server, &authority)).await;
                answer.expect("a call of a new client");
            } else {
                let answer = client.list_customers(ListCustomersRequest::default());
                answer.await.expect("a call of the same client");
            }
            calls.fetch_add(1, Ordering::Relaxed);
        }
    };
    let rotate = async {
        let batch = client.batch(customer.request(assign(&[NOTES]), user_ids(USERS)));
        let batch = tokio::spawn(read(batch));
        for _ in 0..3 {
            let before = calls.load(Ordering::Relaxed);
            let pair = authority.server();
            pair.write(folder.path());
            until_served(server, &authority, &pair).await;
            assert!(calls.load(Ordering::Relaxed) > before, "there is no load");
        }
        let outcome = batch.await.expect("read").expect("the batch ends");
        assert_complete(&outcome, USERS);
        assert_eq!(outcome.counts(), (5_000, 0, 0));
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(load(false), load(false), load(true), load(true), rotate);
}

on_sqlite![no_call_fails_while_certificates_are_replaced,];
