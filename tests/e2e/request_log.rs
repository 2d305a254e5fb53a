//! The request log: one line for each call, with ids, and never with what was sent.

use seatwise_client::transport::tonic::body::Body;
use seatwise_client::transport::tonic::client::GrpcService;
use seatwise_client::transport::tonic::codegen::http::{Request, Response};
use seatwise_client::transport::tonic::transport::Endpoint;
use seatwise_client::v1::{
    CreateCustomerRequest, CreateUserRequest, DeleteUserRequest, GetCustomerRequest,
    GetUserRequest, ImportedUser, ListUsersRequest,
};
use seatwise_client::{Client, Code};

use crate::customer::Customer;
use crate::fixtures::product::NOTES;
use crate::fixtures::{self, UNKNOWN_ID, assign, import_catalogue, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::log::{self, Logging};

const GET_USER: &str = "/seatwise.v1.UserService/GetUser";
/// Of each line of the log.
const LINE: &str = "seatwise::calls: call ";

/// Starts a server that logs so much on the harness's address.
async fn start(server: &Harness, filter: &str, database: &str) -> Logging {
    log::serve(server, server.address(), database, &["--log", filter]).await
}

/// Calls a path with an id and without a message, as who has the admin key.
async fn call(server: &Harness, path: &str, id: &str) -> Response<Body> {
    let key = std::fs::read_to_string(server.admin_key()).expect("the server has made it");
    call_as(server, &format!("Bearer {}", key.trim()), path, id).await
}

/// The same with something else to show.
async fn call_as(server: &Harness, shown: &str, path: &str, id: &str) -> Response<Body> {
    let endpoint = Endpoint::from_shared(server.endpoint()).expect("an address");
    let mut channel = endpoint.connect_lazy();
    let ready = std::future::poll_fn(|cx| GrpcService::<Body>::poll_ready(&mut channel, cx));
    ready.await.expect("the server is there");
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .header("x-request-id", id)
        .header("authorization", shown)
        .header("accept-language", "nl-canary")
        .header("user-agent", "canary-agent")
        .body(Body::empty())
        .expect("a request");
    let response = channel.call(request).await;
    response.expect("an answer")
}

async fn each_call_has_one_line(server: &Harness) {
    let logging = start(server, "info", &server.database_url()).await;
    import_catalogue(&server.client()).await;
    let customer = server.customer_with_users(3).await;
    customer.set_seats(NOTES, 2).await;
    let outcome = customer
        .execute(customer.request(assign(&[NOTES]), user_ids(3)))
        .await;
    assert_eq!(outcome.counts(), (2, 0, 1));
    let nobody = GetCustomerRequest {
        customer_id: UNKNOWN_ID.to_owned(),
    };
    let refused = server
        .client()
        .get_customer(nobody)
        .await
        .expect_err("there is none");
    assert_eq!(refused.code, Code::NotFound);
    let nothing = GetCustomerRequest {
        customer_id: "none".to_owned(),
    };
    server
        .client()
        .get_customer(nothing)
        .await
        .expect_err("no id");

    for (method, code, reason, count) in [
        ("CatalogueService/ImportCatalogue", "OK", None, 1),
        ("CustomerService/CreateCustomer", "OK", None, 1),
        ("UserService/ImportUsers", "OK", None, 1),
        ("LicenseService/SetSeats", "OK", None, 1),
        ("BatchService/ExecuteBatch", "OK", None, 1),
        (
            "CustomerService/GetCustomer",
            "NOT_FOUND",
            Some("RESOURCE_NOT_FOUND"),
            1,
        ),
        (
            "CustomerService/GetCustomer",
            "INVALID_ARGUMENT",
            Some("INVALID_FIELD"),
            1,
        ),
    ] {
        let told = format!("{LINE}method=\"{method}\" code=\"{code}\"");
        logging.line(&told).await;
        let lines = logging.lines(&told);
        assert_eq!(lines.len(), count, "{lines:?}");
        let line = &lines[0];
        assert!(line.contains(" INFO "), "{line}");
        match reason {
            Some(reason) => assert!(line.contains(&format!(" reason=\"{reason}\"")), "{line}"),
            None => assert!(!line.contains("reason="), "{line}"),
        }
        for field in [
            "milliseconds=",
            "principal=\"",
            "request_id=\"",
            "peer=\"127.0.0.1:",
        ] {
            assert!(
                line.contains(&format!(" {field}")),
                "{field} is not in {line}"
            );
        }
    }
    logging.end().await;
}

async fn denials_say_who_was_denied_what_and_why(server: &Harness) {
    let logging = start(server, "warn", &server.database_url()).await;
    // Who calls is not known yet.
    let unknown = format!("Bearer seatwise_{}_{}", UNKNOWN_ID, "canary");
    for (shown, id) in [
        ("", "empty"),
        ("Bearer canary-token", "wrong-token"),
        (&unknown, "key"),
    ] {
        let answer = call_as(server, shown, GET_USER, id).await;
        drop(answer);
        let line = logging.line(&format!("request_id=\"{id}\"")).await;
        let told = "code=\"UNAUTHENTICATED\" reason=\"UNAUTHENTICATED\" problem=\"invalid\"";
        assert!(line.contains(" WARN ") && line.contains(told), "{line}");
        assert!(line.contains("method=\"UserService/GetUser\""), "{line}");
        assert!(
            !line.contains("principal=") && !line.contains("canary"),
            "{line}"
        );
    }
    // Who may call is not told of.
    let customer = server.customer().await;
    customer.users().await;
    assert_eq!(logging.lines(LINE).len(), 3);
    logging.end().await;
}

async fn a_call_that_is_given_up_has_one_line(server: &Harness) {
    let logging = start(server, "info", &server.database_url()).await;
    import_catalogue(&server.client()).await;
    let customer = server.customer().await;
    let mut watch = customer.watch("").await;
    customer.set_seats(NOTES, 1).await;
    watch.next().await.expect("a change");
    drop(watch);
    let told = format!("{LINE}method=\"HistoryService/WatchChanges\" code=\"CANCELLED\"");
    logging.line(&told).await;
    assert_eq!(logging.lines("HistoryService/WatchChanges").len(), 1);
    logging.end().await;
}

async fn ids_of_calls_come_back_and_paths_are_not_repeated(server: &Harness) {
    let logging = start(server, "debug", &server.database_url()).await;
    for (path, id, told, level) in [
        (
            "/seatwise.v1.UserService/Canary",
            "unknown-rpc",
            "unknown\" code=\"UNIMPLEMENTED",
            "INFO",
        ),
        (
            "/canary",
            "unknown-path",
            "unknown\" code=\"UNIMPLEMENTED",
            "INFO",
        ),
        (
            "/grpc.health.v1.Health/Check",
            "health",
            "grpc.health.v1.Health/Check\" code=\"",
            "DEBUG",
        ),
        (GET_USER, "short", "UserService/GetUser\" code=\"", "INFO"),
    ] {
        let answer = call(server, path, id).await;
        assert_eq!(answer.headers()["x-request-id"], id);
        // What has a body ends with it.
        drop(answer);
        let line = logging.line(&format!("request_id=\"{id}\"")).await;
        assert!(line.contains(&format!("{LINE}method=\"{told}")), "{line}");
        assert!(line.contains(&format!(" {level} ")), "{line}");
        assert_eq!(logging.lines(&format!("request_id=\"{id}\"")).len(), 1);
    }
    let answer = call(server, "/grpc.health.v1.Health/Check", "has a blank").await;
    let made = answer.headers()["x-request-id"].to_str().expect("a text");
    assert_eq!(made.len(), 36, "{made}");
    assert!(logging.lines("canary").is_empty() && logging.lines("Canary").is_empty());
    logging.end().await;
}

/// Nothing that is a secret, or a person's, is in the log, however much is logged.
async fn the_log_has_no_secrets_and_no_persons(server: &Harness) {
    // The server trusts who comes from this machine, whatever the password.
    let url = server.database_url();
    let url = url.replacen("postgres@", "postgres:canary-password@", 1);
    let logging = start(server, "trace", &url).await;
    import_catalogue(&server.client()).await;
    call_with_canaries(&server.client()).await;
    for shown in [
        "Bearer canary-token",
        "Bearer seatwise_canary_canary",
        "canary",
    ] {
        call_as(server, shown, GET_USER, "wrong-token").await;
    }
    // Whoever finds nothing must have found this.
    call(server, GET_USER, "canary-planted").await;
    logging.line("canary-planted").await;

    let lines = logging.lines("");
    let is_canary = |line: &&String| line.to_lowercase().contains("canary");
    let canaries = lines.iter().filter(is_canary);
    let (planted, found): (Vec<_>, Vec<_>) =
        canaries.partition(|line| line.contains("canary-planted"));
    assert!(!planted.is_empty());
    assert!(found.is_empty(), "{found:#?}");
    let key = std::fs::read_to_string(server.admin_key()).expect("the server has made it");
    let (_, secret) = key.trim().rsplit_once('_').expect("a key");
    assert!(secret.len() > 32 && !lines.iter().any(|line| line.contains(secret)));
    for code in [
        "UNAUTHENTICATED",
        "OK",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "ALREADY_EXISTS",
    ] {
        let told = format!("code=\"{code}\"");
        assert!(
            lines.iter().any(|line| line.contains(&told)),
            "no call ended with {code}"
        );
    }
    assert!(
        lines.iter().any(|line| line.contains(" TRACE ")),
        "not everything is logged"
    );
    logging.end().await;
}

/// Sends something that must not be logged wherever it can be sent, well and wrongly.
async fn call_with_canaries(client: &Client) {
    let comment = || "a canary's comment".to_owned();
    let request = CreateCustomerRequest {
        display_name: "Canary Ltd".to_owned(),
        comment: comment(),
        ..CreateCustomerRequest::default()
    };
    let id = client.create_customer(request).await.expect("a customer");
    let customer = Customer {
        client: client.clone(),
        id: id.customer_id,
    };
    let customer_id = || customer.id.clone();
    let name = "canary@example.com";
    let user = CreateUserRequest {
        customer_id: customer_id(),
        principal_name: name.to_owned(),
        display_name: "Carla Canary".to_owned(),
        usage_location: "NL".to_owned(),
        comment: comment(),
        ..CreateUserRequest::default()
    };
    let created = client.create_user(user.clone()).await.expect("a user");
    client.create_user(user.clone()).await.expect_err("taken");
    for (principal_name, usage_location) in [("canary name", "NL"), ("c@example.com", "canary")] {
        let request = CreateUserRequest {
            principal_name: principal_name.to_owned(),
            usage_location: usage_location.to_owned(),
            ..user.clone()
        };
        client.create_user(request).await.expect_err("wrong");
    }
    for user in [name, "nocanary@example.com", "canary", UNKNOWN_ID] {
        let request = GetUserRequest {
            customer_id: customer_id(),
            user: user.to_owned(),
        };
        let _ = client.get_user(request).await;
    }
    let request = ListUsersRequest {
        customer_id: customer_id(),
        page_token: "canary".to_owned(),
        ..ListUsersRequest::default()
    };
    client.list_users(request).await.expect_err("no token");

    let users = ["canary2@example.com", "canary 3"].map(|name| ImportedUser {
        principal_name: name.to_owned(),
        display_name: Some("Canary Import".to_owned()),
        ..ImportedUser::default()
    });
    let _ = client.import_users(&customer.id, users.to_vec()).await;
    execute_with_canaries(&customer, name).await;
    import_canaries(client).await;
    let request = DeleteUserRequest {
        customer_id: customer_id(),
        user: created.user_id,
        comment: comment(),
        ..DeleteUserRequest::default()
    };
    client.delete_user(request).await.expect("deleted");
}

/// Assigns a product to somebody who is there and to others.
async fn execute_with_canaries(customer: &Customer, name: &str) {
    customer.set_seats(NOTES, 1).await;
    let names = [name, "canary4@example.com"].map(str::to_owned);
    let mut request = customer.request(assign(&[NOTES]), names.to_vec());
    request.comment = "a canary's comment".to_owned();
    let outcome = customer.execute(request.clone()).await;
    assert_eq!(outcome.counts(), (1, 0, 1));
    request.users.push("canary5@example.com".to_owned());
    let again = customer.client.batch(request).collect().await;
    again.expect_err("the id belongs to another request");
}

/// Imports files with names that are no names, and some that are no files.
async fn import_canaries(client: &Client) {
    let file = fixtures::CATALOGUE.replace("Notes", "Canary Notes");
    let imported = client.import_catalogue(file.as_bytes()).await;
    imported.expect("a catalogue");
    for file in ["canary", "Product_Display_Name,GUID\ncanary,canary\n"] {
        client
            .import_catalogue(file.as_bytes())
            .await
            .expect_err("no file");
        client
            .import_rules(file.as_bytes())
            .await
            .expect_err("no file");
    }
}

on_every_engine![
    each_call_has_one_line,
    denials_say_who_was_denied_what_and_why,
    a_call_that_is_given_up_has_one_line,
    ids_of_calls_come_back_and_paths_are_not_repeated,
    the_log_has_no_secrets_and_no_persons,
];
