//! Bad input: each is refused with a code, a reason and a place, changes nothing, and leaves the
//! server alive. The cases are in the modules below, a line or two each.

mod batches;
mod files;
mod lists;
mod resources;
mod selections;

use prost::Message;
use seatwise_client::transport::v1::ErrorReason;
use seatwise_client::v1::{ListCustomersRequest, ListProductsRequest, ListRulesRequest};
use seatwise_client::{Code, Error};

use crate::customer::{Customer, pages};
use crate::fixtures::product::{NOTES, SUITE, VIDEO};
use crate::fixtures::user_ids;
use crate::harness::{Harness, on_every_engine};

const CASES_MIN: usize = 60;

async fn bad_input_is_refused_with_its_place_and_changes_nothing(server: &Harness) {
    let mut bad = BadInput::prepare(server).await;
    batches::refused(&mut bad).await;
    resources::refused(&mut bad).await;
    lists::refused(&mut bad).await;
    selections::refused(&mut bad).await;
    files::refused(&mut bad).await;
    println!("{} cases", bad.cases);
    assert!(bad.cases >= CASES_MIN, "{}", bad.cases);

    // And good input still works.
    bad.customer.give(&[NOTES], &user_ids(3)).await;
}

/// A customer to do wrong to, another one whose things are not its own, and how all was before.
struct BadInput<'a> {
    server: &'a Harness,
    customer: Customer,
    stranger: Customer,
    before: Vec<Vec<u8>>,
    cases: usize,
}

impl<'a> BadInput<'a> {
    async fn prepare(server: &'a Harness) -> Self {
        server.start_with_catalogue().await;
        let customer = server.customer_with_users(3).await;
        let stranger = server.customer().await;
        stranger.add_users([7]).await;
        for product in [NOTES, SUITE, VIDEO] {
            customer.set_seats(product, 5).await;
        }
        customer.give(&[VIDEO], &user_ids(3)).await;
        customer.assign(&[VIDEO], &user_ids(3)).await;
        stranger.set_seats(NOTES, 5).await;
        let mut bad = Self {
            server,
            customer,
            stranger,
            before: Vec::new(),
            cases: 0,
        };
        bad.before = bad.everything().await;
        bad
    }

    /// Expects a refusal with this reason; `place` is the value of its metadata `key`.
    async fn refused<T>(
        &mut self,
        what: &str,
        call: impl Future<Output = Result<T, Error>>,
        reason: ErrorReason,
        (key, place): (&str, &str),
    ) {
        let Err(error) = call.await else {
            panic!("{what}: was not refused");
        };
        assert_eq!(error.reason, reason, "{what}: {error:?}");
        assert_eq!(error.code, code_of(reason), "{what}: {error:?}");
        let told = error.metadata.get(key).map(String::as_str);
        assert_eq!(told, Some(place), "{what}: {error:?}");
        if matches!(reason, ErrorReason::InvalidField | ErrorReason::InvalidFile) {
            let places = error.violations.iter().map(|violation| &violation.field);
            assert!(
                places.into_iter().any(|field| field == place),
                "{what}: {error:?}"
            );
        }
        assert!(error.message.len() > 10, "{what}: {error:?}");
        self.unharmed(what).await;
    }

    /// Expects `INVALID_FIELD` about a field.
    async fn invalid<T>(
        &mut self,
        what: &str,
        call: impl Future<Output = Result<T, Error>>,
        field: &str,
    ) {
        let reason = ErrorReason::InvalidField;
        self.refused(what, call, reason, ("field", field)).await;
    }

    /// Checks that nothing has changed, which also shows that the server is alive.
    async fn unharmed(&mut self, what: &str) {
        assert_eq!(
            self.everything().await,
            self.before,
            "{what}: had an effect"
        );
        self.cases += 1;
    }

    /// All that can be listed.
    async fn everything(&self) -> Vec<Vec<u8>> {
        let mut all = self.shared().await.expect("lists are answered");
        for customer in [&self.customer, &self.stranger] {
            all.extend(encoded(&customer.users().await));
            all.extend(encoded(&customer.licenses().await));
            all.extend(encoded(&customer.assignments().await));
            all.extend(encoded(&customer.batches().await));
        }
        all
    }

    /// Customers and the catalogue.
    async fn shared(&self) -> Result<Vec<Vec<u8>>, Error> {
        let client = &self.customer.client;
        let customers = pages(|page_token| async move {
            let request = ListCustomersRequest {
                page_size: 0,
                page_token,
                ..Default::default()
            };
            let page = client.list_customers(request).await?;
            Ok((page.customers, page.next_page_token))
        });
        let products = pages(|page_token| async move {
            let request = ListProductsRequest {
                page_token,
                ..Default::default()
            };
            let page = client.list_products(request).await?;
            Ok((page.products, page.next_page_token))
        });
        let rules = pages(|page_token| async move {
            let request = ListRulesRequest {
                page_size: 0,
                page_token,
            };
            let page = client.list_rules(request).await?;
            Ok((page.rules, page.next_page_token))
        });
        let (customers, products, rules) = tokio::try_join!(customers, products, rules)?;
        Ok([encoded(&customers), encoded(&products), encoded(&rules)].concat())
    }
}

/// The code that the protocol documents for a reason.
fn code_of(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::ResourceNotFound => Code::NotFound,
        ErrorReason::ResourceExists | ErrorReason::RequestIdReused => Code::AlreadyExists,
        ErrorReason::EtagMismatch => Code::Aborted,
        ErrorReason::SeatsBelowAssigned => Code::FailedPrecondition,
        _ => Code::InvalidArgument,
    }
}

fn encoded(messages: &[impl Message]) -> Vec<Vec<u8>> {
    messages.iter().map(Message::encode_to_vec).collect()
}

on_every_engine![bad_input_is_refused_with_its_place_and_changes_nothing,];
