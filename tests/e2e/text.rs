//! What the service says to people, in the language that they ask for.

use seatwise_client::transport::tonic::metadata::MetadataValue;
use seatwise_client::transport::tonic::{Request, Status};
use seatwise_client::transport::v1::batch_service_client::BatchServiceClient;
use seatwise_client::transport::v1::user_service_client::UserServiceClient;
use seatwise_client::transport::v1::{ImportUsersRequest, batch_frame::Frame};
use seatwise_client::v1::{
    CreateSelectionRequest, ErrorReason, GetCustomerRequest, ImportedUser, ListBatchResultsRequest,
};
use seatwise_client::{Code, Error, UserResult};

use crate::customer::{Customer, imported_user};
use crate::fixtures::product::{DIAL, NOTES, PHONE, VIDEO};
use crate::fixtures::{UNKNOWN_ID, assign, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::raw;

/// Why user 0 cannot have NOTES, PHONE, DIAL and VIDEO, and why nobody can have what is not there.
const ENGLISH: [&str; 5] = [
    "DOMESTIC is not allowed in the user's usage location, US.",
    "CALLS cannot be turned on: it needs CHAT or VOICE.",
    "No seat of Notes is free.",
    "The customer has no license of Video.",
    "The customer has no such user, or not any more.",
];
const DUTCH: [&str; 5] = [
    "DOMESTIC is niet toegestaan in US, de gebruikslocatie van de gebruiker.",
    "CALLS kan niet worden ingeschakeld: daarvoor is CHAT of VOICE nodig.",
    "Er is geen licentieplaats van Notes vrij.",
    "De klant heeft geen licentie voor Video.",
    "De klant heeft deze gebruiker niet (meer).",
];

async fn reasons_are_told_in_the_callers_language(server: &Harness) {
    let customer = customer_who_fails(server).await;
    let batch_id = refused(&customer).await.0;
    for (language, locale, texts) in [
        ("en", "en", ENGLISH),
        ("nl", "nl", DUTCH),
        ("nl-BE;q=0.9,en;q=0.1", "nl", DUTCH),
        ("fr, nl;q=0.5", "nl", DUTCH),
        ("fr", "en", ENGLISH),
        ("nl;q=9 <script>", "en", ENGLISH),
    ] {
        let asking = Customer {
            client: server.client_in(language),
            ..customer.clone()
        };
        // Of a new batch, of a stored one, and page by page.
        assert_texts(&refused(&asking).await.1, locale, texts);
        let stream = asking.client.batch_results(&asking.id, &batch_id, "");
        let outcome = stream.collect().await.expect("results are stored");
        assert_texts(&outcome.failed, locale, texts);
        let request = ListBatchResultsRequest {
            customer_id: asking.id.clone(),
            batch_id: batch_id.clone(),
            ..ListBatchResultsRequest::default()
        };
        let page = asking.client.list_batch_results(request).await;
        let page = page.expect("results are listed");
        assert_eq!(page.locale, locale);
        let results: Vec<_> = UserResult::of_page(page).collect();
        assert_texts(&results, locale, texts);
    }
    // Who does not ask is answered in English.
    assert_texts(&refused(&customer).await.1, "en", ENGLISH);
}

async fn results_of_many_messages_have_texts_too(server: &Harness) {
    let customer = customer_who_fails(server).await;
    let request = customer.request(assign(&[VIDEO]), vec![user_id(0)]);
    let parts = tokio_stream::iter(raw::parts(request, 1));
    let mut client = BatchServiceClient::new(raw::channel(server));
    let answer = client.execute_large_batch(in_dutch(parts)).await;
    let mut frames = answer.expect("the batch is accepted").into_inner();
    let mut texts = Vec::new();
    while let Some(message) = frames.message().await.expect("the batch ends") {
        let frame = message.frame.expect("a frame");
        let has_text = matches!(frame.frame, Some(Frame::Result(_) | Frame::Summary(_)));
        assert_eq!(frame.locale, if has_text { "nl" } else { "" });
        texts.extend(frame.reason_texts);
        if let Some(Frame::Summary(summary)) = frame.frame {
            let counts = summary.reasons.iter();
            let counts: Vec<_> = counts
                .map(|count| (count.user_count(), &count.text))
                .collect();
            assert_eq!(counts, [(1, &"geen licentie voor het product".to_owned())]);
        }
    }
    assert_eq!(texts, [DUTCH[3]]);
}

async fn a_result_without_reasons_has_no_texts(server: &Harness) {
    let customer = customer_who_fails(server).await;
    customer.set_seats(VIDEO, 1).await;
    let request = customer.request(assign(&[VIDEO]), vec![user_id(0)]);
    let client = server.client_in("nl");
    let outcome = client.batch(request).collect().await.expect("it ends");
    let [ref result] = outcome.into_result().expect("the user gets it")[..] else {
        panic!("one result");
    };
    assert_eq!(result.reason_texts, [""; 0]);
    assert_eq!(result.locale, "");
}

async fn a_replay_in_another_language_is_the_same_but_for_the_texts(server: &Harness) {
    let customer = customer_who_fails(server).await;
    let users = vec![user_id(0), UNKNOWN_ID.to_owned()];
    let request = customer.request(assign(&[NOTES, PHONE]), users);
    let run = async |language| {
        let stream = server.client_in(language).batch(request.clone());
        stream.collect().await.expect("the batch ends")
    };
    let (first, again) = (run("en").await, run("nl").await);
    assert!(again.replayed);
    let bytes = |results: &[UserResult]| -> Vec<Vec<u8>> {
        let results: Vec<_> = results.iter().map(|told| told.result.clone()).collect();
        crate::customer::bytes(&results)
    };
    assert_eq!(first.failed.len(), 2);
    assert_eq!(bytes(&first.failed), bytes(&again.failed));
    for (first, again) in first.failed.iter().zip(&again.failed) {
        assert_eq!(first.reason_texts.len(), again.reason_texts.len());
        assert_ne!(first.reason_texts, again.reason_texts);
    }
}

async fn errors_of_calls_are_told_in_the_callers_language(server: &Harness) {
    server.start_with_catalogue().await;
    for (language, locale, text) in [
        ("en", "en", format!("There is no customer {UNKNOWN_ID}.")),
        ("nl-NL", "nl", format!("Er is geen klant {UNKNOWN_ID}.")),
        ("de", "en", format!("There is no customer {UNKNOWN_ID}.")),
        ("?", "en", format!("There is no customer {UNKNOWN_ID}.")),
    ] {
        let request = GetCustomerRequest {
            customer_id: UNKNOWN_ID.to_owned(),
        };
        let error = server.client_in(language).get_customer(request).await;
        let error = error.expect_err("there is none");
        assert_eq!(error.code, Code::NotFound);
        assert_said(&error, ErrorReason::ResourceNotFound, locale, &text);
    }
}

async fn errors_of_requests_that_are_read_aside_are_told_in_the_callers_language(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    let dutch = server.client_in("nl");

    // Names are read by a thread of their own.
    let twice = customer.request(assign(&[NOTES]), vec!["no one".to_owned(); 3]);
    let error = dutch.batch(twice).collect().await.expect_err("no names");
    let text = "3 waarden ontbreken of zijn onjuist; de eerste is users[0].";
    assert_said(&error, ErrorReason::InvalidField, "nl", text);

    // The same by the task that accepts a batch.
    let twice = vec![user_id(0), "user0@example.com".to_owned()];
    let twice = customer.request(assign(&[NOTES]), twice);
    let error = dutch.batch(twice).collect().await.expect_err("one user");
    let text = "users[1] is dezelfde gebruiker als users[0]. Noem elke gebruiker één keer.";
    assert_said(&error, ErrorReason::DuplicateUser, "nl", text);

    // Selections are read by a thread of their own, too.
    let request = CreateSelectionRequest {
        customer_id: customer.id.clone(),
        selection: None,
        ..Default::default()
    };
    let error = dutch.create_selection(request).await;
    let text = "Eén waarde ontbreekt of is onjuist: selection.";
    assert_said(
        &error.expect_err("none"),
        ErrorReason::InvalidField,
        "nl",
        text,
    );

    // And by one that imports a file.
    let error = dutch.import_catalogue(b"no catalogue").await;
    let error = error.expect_err("no catalogue");
    assert_eq!(error.reason, ErrorReason::InvalidFile);
    let said = error.localized.expect("a text").text;
    assert!(said.contains("Er is niets geïmporteerd."), "{said}");
}

async fn an_error_after_the_first_answer_is_told_in_the_callers_language(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer().await;
    let part = |users: Vec<ImportedUser>| ImportUsersRequest {
        customer_id: customer.id.clone(),
        users,
        comment: String::new(),
    };
    let parts = tokio_stream::iter([part(vec![imported_user(0)]), part(Vec::new())]);
    let mut client = UserServiceClient::new(raw::channel(server));
    let answers = client.import_users(in_dutch(parts)).await;
    let mut answers = answers.expect("the import begins").into_inner();
    let first = answers.message().await.expect("an answer");
    assert_eq!(first.expect("an answer").outcomes.len(), 1);
    let status = answers.message().await.expect_err("no users");
    let text = "Eén waarde ontbreekt of is onjuist: users.";
    assert_said(&status.into(), ErrorReason::InvalidField, "nl", text);
}

async fn an_error_in_the_middle_of_results_is_told_in_the_callers_language(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(5_000).await;
    customer.set_seats(NOTES, 5_000).await;
    let request = customer.request(assign(&[NOTES]), user_ids(5_000));
    let mut client = BatchServiceClient::new(raw::channel(server));
    let answer = client.execute_batch(in_dutch(request)).await;
    let mut frames = answer.expect("the batch is accepted").into_inner();
    frames.message().await.expect("it has started");
    let read_on = async {
        let status: Status = loop {
            match frames.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the batch ended before the server was stopped"),
                Err(status) => break status,
            }
        };
        status
    };
    let (status, ()) = tokio::join!(read_on, server.stop());
    let text = "Deze server wordt gestopt. Probeer het zo dadelijk opnieuw.";
    assert_said(&status.into(), ErrorReason::ShuttingDown, "nl", text);
}

/// User 0 is in the US; NOTES has no seats, PHONE and DIAL have, and VIDEO is not licensed.
async fn customer_who_fails(server: &Harness) -> Customer {
    server.start_with_catalogue().await;
    let customer = server.customer().await;
    let user = ImportedUser {
        usage_location: Some("US".to_owned()),
        ..imported_user(0)
    };
    customer.import(vec![user]).await;
    for (product, seats) in [(NOTES, 0), (PHONE, 10), (DIAL, 10)] {
        customer.set_seats(product, seats).await;
    }
    customer
}

/// Runs a batch that is refused for all that `ENGLISH` says.
async fn refused(customer: &Customer) -> (String, Vec<UserResult>) {
    let users = vec![user_id(0), UNKNOWN_ID.to_owned()];
    let request = customer.request(assign(&[NOTES, PHONE, DIAL, VIDEO]), users);
    let outcome = customer.client.batch(request).collect().await;
    let outcome = outcome.expect("the batch ends");
    (outcome.batch.batch_id, outcome.failed)
}

/// Checks that each reason has its text, in whatever order the reasons are.
fn assert_texts(results: &[UserResult], locale: &str, texts: [&str; 5]) {
    for result in results {
        assert_eq!(result.locale, locale);
        assert_eq!(result.reason_texts.len(), result.reasons.len());
    }
    let told = results.iter().flat_map(|result| &result.reason_texts);
    let mut told: Vec<_> = told.collect();
    told.sort();
    let mut texts = texts;
    texts.sort_unstable();
    assert_eq!(told, texts);
}

fn assert_said(error: &Error, reason: ErrorReason, locale: &str, text: &str) {
    assert_eq!(error.reason, reason);
    let said = error.localized.as_ref().expect("the service has said it");
    assert_eq!((said.locale.as_str(), said.text.as_str()), (locale, text));
    // The other message is for who wrote the program.
    assert!(!error.message.is_empty());
}

fn in_dutch<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let dutch = MetadataValue::from_static("nl");
    request.metadata_mut().insert("accept-language", dutch);
    request
}

on_every_engine![
    reasons_are_told_in_the_callers_language,
    results_of_many_messages_have_texts_too,
    a_result_without_reasons_has_no_texts,
    a_replay_in_another_language_is_the_same_but_for_the_texts,
    errors_of_calls_are_told_in_the_callers_language,
    errors_of_requests_that_are_read_aside_are_told_in_the_callers_language,
    an_error_after_the_first_answer_is_told_in_the_callers_language,
    an_error_in_the_middle_of_results_is_told_in_the_callers_language,
];
