//! Rights that are lost while something runs: a batch stops at its next chunk, a stream ends.

use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::{
    Batch, ErrorReason, GetCallerRequest, GetPrincipalRequest, NewGrant, ReasonCode, Role, batch,
};
use seatwise_client::{Code, Error};
use seatwise_server::server;

use crate::colleague::{Colleague, for_all, for_customer, in_millis};
use crate::customer::{Customer, Outcome, codes_of, read};
use crate::fixtures::product::NOTES;
use crate::fixtures::{assign, revoke, user_ids};
use crate::harness::{Harness, on_every_engine};

const USERS: usize = 20_000;
/// Users of the first chunk, and of the others.
const CHUNKS: [usize; 2] = [64, 500];

/// How somebody loses the right to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    GrantTaken,
    KeyRevoked,
    PrincipalDeleted,
}

async fn a_batch_stops_at_the_next_chunk_when_its_caller_loses_the_right(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(NOTES, USERS as i32).await;
    for loss in [Loss::GrantTaken, Loss::KeyRevoked, Loss::PrincipalDeleted] {
        let grant = for_customer(Role::HelpdeskAgent, &customer.id, None);
        let ada = server.colleague(&format!("{loss:?}"), vec![grant]).await;
        let mut stream = ada
            .client
            .batch(customer.request(assign(&[NOTES]), user_ids(USERS)));
        let id = stream.accepted().await.expect("accepted").batch_id.clone();
        stream.next().await.expect("a result").expect("a result");
        lose(server, &ada, loss).await;
        let served = assert_stopped(&customer, &id).await;
        println!("{loss:?}: {served} of {USERS} were served");

        // What was skipped can be done by somebody who may.
        customer.complete(customer.revert(&id)).await;
        customer.assert_seats(NOTES, 0, USERS as i32).await;
    }
}

async fn lose(server: &Harness, who: &Colleague, loss: Loss) {
    match loss {
        Loss::GrantTaken => server.take(&who.principal).await,
        Loss::KeyRevoked => server.revoke_key(&who.key_id).await,
        Loss::PrincipalDeleted => {
            let request = seatwise_client::v1::DeletePrincipalRequest {
                principal_id: who.principal.principal_id.clone(),
                comment: String::new(),
            };
            let deleted = server.client().delete_principal(request).await;
            deleted.expect("deleted");
        }
    }
}

/// Checks that a batch ends, that it was stopped between two chunks for want of rights, and that this is
/// what is stored; returns how many were served before.
async fn assert_stopped(customer: &Customer, id: &str) -> usize {
    let ended = customer.ended(id).await;
    let stored = customer.client.batch_results(&customer.id, id, "");
    let stored = read(stored).await.expect("results are stored");
    let is_skipped = |result: &&_| disposition(result) == Disposition::Skipped;
    let served = stored
        .results
        .iter()
        .take_while(|result| !is_skipped(result))
        .count();
    let [first, other] = CHUNKS;
    assert!(
        served >= first && served < USERS,
        "{served}: nothing was lost in the middle"
    );
    assert_eq!(
        (served - first) % other,
        0,
        "{served} is not the end of a chunk"
    );
    for result in &stored.results[served..] {
        assert!(is_skipped(&result));
        assert_eq!(codes_of(result), [ReasonCode::AccessLost]);
        assert!(result.retryable);
    }
    assert_batch(&ended, &stored, served);
    let free = (USERS - served) as i32;
    customer.assert_seats(NOTES, served as i32, free).await;
    served
}

fn assert_batch(ended: &Batch, stored: &Outcome, served: usize) {
    assert_eq!(ended.state(), batch::State::Ended);
    assert_eq!(ended.applied_count(), served as i32);
    assert_eq!(ended.skipped_count(), (USERS - served) as i32);
    assert_eq!(ended.stopped_by(), ReasonCode::AccessLost);
    let counted = stored
        .summary
        .reasons
        .iter()
        .map(|count| (count.code(), count.user_count()));
    let expected = [(ReasonCode::AccessLost, (USERS - served) as i32)];
    assert_eq!(counted.collect::<Vec<_>>(), expected);
}

fn disposition(result: &seatwise_client::v1::BatchResult) -> Disposition {
    result.disposition()
}

async fn a_batch_stops_when_the_grant_of_its_caller_expires(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(NOTES, USERS as i32).await;
    // How long a batch takes depends on the machine: the end is sought where it lies within.
    for millis in [400, 800, 1_600, 3_200, 6_400] {
        let name = format!("{millis} ms");
        let end = Some(in_millis(millis));
        let grant = for_customer(Role::HelpdeskAgent, &customer.id, end);
        let ada = server.colleague(&name, vec![grant]).await;
        let mut stream = ada
            .client
            .batch(customer.request(assign(&[NOTES]), user_ids(USERS)));
        let Ok(accepted) = stream.accepted().await else {
            continue;
        };
        let id = accepted.batch_id.clone();
        let ended = customer.ended(&id).await;
        let found_its_end = ended.applied_count() > 0 && ended.skipped_count() > 0;
        if found_its_end {
            assert_stopped(&customer, &id).await;
            return;
        }
        customer.complete(customer.revert(&id)).await;
    }
    panic!("no grant expired within a batch: this shows nothing");
}

async fn a_batch_that_nobody_works_on_is_not_resumed_for_who_lost_the_right(server: &Harness) {
    server.start_process().await;
    crate::fixtures::import_catalogue(&server.client()).await;
    let customer = server.customer_with_users(USERS).await;
    customer.set_seats(NOTES, USERS as i32).await;
    let grant = || for_customer(Role::HelpdeskAgent, &customer.id, None);
    let ada = server.colleague("ada", vec![grant()]).await;
    let mut stream = ada
        .client
        .batch(customer.request(assign(&[NOTES]), user_ids(USERS)));
    let id = stream.accepted().await.expect("accepted").batch_id.clone();
    stream.next().await.expect("a result").expect("a result");
    server.kill().await;
    let key = ada.key_id.replace('-', "");
    let revoke = match server.engine() {
        crate::harness::Engine::Sqlite => {
            format!("UPDATE api_keys SET revoked_at = 1 WHERE key_id = x'{key}'")
        }
        crate::harness::Engine::Postgres => {
            format!(
                "UPDATE api_keys SET revoked_at = now() WHERE key_id = '{}'",
                ada.key_id
            )
        }
    };
    server.edit_database(revoke).await;
    server.start_process().await;
    assert_stopped(&customer, &id).await;
}

async fn a_watch_ends_when_its_caller_loses_the_right(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    for loss in [Loss::GrantTaken, Loss::KeyRevoked] {
        let grant = for_customer(Role::Reader, &customer.id, None);
        let ada = server.colleague(&format!("{loss:?}"), vec![grant]).await;
        let mut watch = ada.client.watch(customer.changes_after(""));
        watch.begun().await.expect("a watch");
        lose(server, &ada, loss).await;
        let error = loop {
            match watch.next().await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        let expected = match loss {
            Loss::KeyRevoked => (Code::Unauthenticated, ErrorReason::Unauthenticated),
            _ => (Code::PermissionDenied, ErrorReason::PermissionDenied),
        };
        assert_eq!((error.code, error.reason), expected, "{error}");
    }
}

async fn a_right_that_is_taken_counts_from_the_next_call_on(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(NOTES, 9).await;
    let grant = for_customer(Role::HelpdeskAgent, &customer.id, None);
    let ada = server.colleague("ada", vec![grant]).await;
    let theirs = Customer {
        client: ada.client.clone(),
        id: customer.id.clone(),
    };
    theirs.give(&[NOTES], &user_ids(2)).await;
    server.take(&ada.principal).await;
    let refused = try_revoke(&theirs).await;
    assert_eq!(
        refused,
        (Code::PermissionDenied, ErrorReason::PermissionDenied)
    );
    // Another right elsewhere tells nothing of this customer.
    let elsewhere = server.customer().await;
    let there = for_customer(Role::HelpdeskAgent, &elsewhere.id, None);
    server.give(&ada.principal, there).await;
    let refused = try_revoke(&theirs).await;
    assert_eq!(refused, (Code::NotFound, ErrorReason::ResourceNotFound));
    // A role that may only look.
    let look = for_customer(Role::Reader, &customer.id, None);
    server.give(&ada.principal, look).await;
    let refused = try_revoke(&theirs).await;
    assert_eq!(
        refused,
        (Code::PermissionDenied, ErrorReason::PermissionDenied)
    );
    assert_eq!(
        theirs.assignments().await.len(),
        2,
        "nothing was changed, and it can look"
    );
    server.give(&ada.principal, for_all(Role::SalesAgent)).await;
    theirs.run(revoke(&[NOTES]), &user_ids(2)).await;
    assert_eq!(theirs.assignments().await.len(), 0);
    server.revoke_key(&ada.key_id).await;
    let refused = try_revoke(&theirs).await;
    assert_eq!(
        refused,
        (Code::Unauthenticated, ErrorReason::Unauthenticated)
    );
}

async fn try_revoke(customer: &Customer) -> (Code, ErrorReason) {
    let request = customer.request(revoke(&[NOTES]), user_ids(2));
    let error: Error = read_error(customer, request).await;
    (error.code, error.reason)
}

async fn read_error(
    customer: &Customer,
    request: seatwise_client::v1::ExecuteBatchRequest,
) -> Error {
    let mut stream = customer.client.batch(request);
    match stream.accepted().await {
        Ok(_) => panic!("a call that is to be refused is accepted"),
        Err(error) => error,
    }
}

async fn the_first_admin_is_made_once_and_callers_know_who_they_are(server: &Harness) {
    server.start().await;
    let file = server.admin_key();
    let first = std::fs::read_to_string(&file).expect("the server has written it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    server.restart().await;
    let second = std::fs::read_to_string(&file).expect("it is still there");
    assert_eq!(first, second, "another start makes no other key");
    let caller = server
        .client()
        .get_caller(GetCallerRequest {})
        .await
        .expect("a caller");
    let admin = caller.principal.expect("a principal");
    assert_eq!((admin.name.as_str(), admin.keys.len()), ("admin", 1));
    assert_eq!(caller.key_id, admin.keys[0].key_id);

    let ada = server.colleague("ada", Vec::<NewGrant>::new()).await;
    assert!(ada.secret.starts_with("seatwise_"));
    let caller = ada
        .client
        .get_caller(GetCallerRequest {})
        .await
        .expect("a caller");
    assert_eq!(caller.key_id, ada.key_id);
    let nothing = ada.client.list_customers(Default::default()).await;
    let error = nothing.expect_err("without a grant");
    assert_eq!(error.reason, ErrorReason::PermissionDenied);
    // The use of a key is noted behind the call.
    let request = GetPrincipalRequest {
        principal_id: ada.principal.principal_id.clone(),
    };
    loop {
        let read = server
            .client()
            .get_principal(request.clone())
            .await
            .expect("read");
        if read.keys[0].last_use_time.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn a_lost_admin_key_is_replaced_in_the_database(server: &Harness) {
    let location = server.database_url().parse().expect("a database");
    let file = server.admin_key().with_file_name("recovered.key");
    let nowhere = server::recover(&location, &file).await;
    assert!(
        matches!(nowhere, Err(server::Error::Schema(_))),
        "nothing to recover"
    );
    assert!(!file.exists());
    server.start().await;
    server.stop().await;
    let taken = server::recover(&location, &server.admin_key()).await;
    assert!(
        matches!(taken, Err(server::Error::KeyFile(_))),
        "it is the key of another"
    );
    let name = server::recover(&location, &file).await.expect("recovered");
    server.start().await;
    let key = std::fs::read_to_string(&file).expect("the key");
    let client = server.client_with(key.trim());
    let caller = client
        .get_caller(GetCallerRequest {})
        .await
        .expect("a caller");
    let admin = caller.principal.expect("a principal");
    assert_eq!(admin.name, name);
    let listed = client.list_principals(Default::default()).await;
    assert_eq!(listed.expect("it may").principals.len(), 2);
}

on_every_engine![
    a_lost_admin_key_is_replaced_in_the_database,
    a_batch_stops_at_the_next_chunk_when_its_caller_loses_the_right,
    a_batch_stops_when_the_grant_of_its_caller_expires,
    a_batch_that_nobody_works_on_is_not_resumed_for_who_lost_the_right,
    a_watch_ends_when_its_caller_loses_the_right,
    a_right_that_is_taken_counts_from_the_next_call_on,
    the_first_admin_is_made_once_and_callers_know_who_they_are,
];
