//! A customer of a server, with the calls that tests make of it, and what can be expected of results.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use prost::Message;
use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::import_outcome::Kind;
use seatwise_client::v1::{
    Assignment, Batch, BatchResult, BatchSummary, Change, CreateCustomerRequest, ErrorReason,
    ExecuteBatchRequest, GetBatchRequest, GetLicenseRequest, ImportedUser, License,
    ListAssignmentsRequest, ListBatchesRequest, ListLicensesRequest, ListUsersRequest, ReasonCode,
    SetSeatsRequest, User, UserChange, UserOrder, batch,
};
use seatwise_client::{BatchStream, Client, Error};
use uuid::Uuid;

use crate::fixtures::{assign, revoke, user_id};
use crate::harness::Harness;

#[derive(Clone)]
pub(crate) struct Customer {
    pub(crate) client: Client,
    pub(crate) id: String,
}

/// What a batch came to.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) batch: Batch,
    pub(crate) replayed: bool,
    /// In the order in which they came.
    pub(crate) results: Vec<BatchResult>,
    pub(crate) summary: BatchSummary,
}

impl Harness {
    /// Makes a customer without anything.
    pub(crate) async fn customer(&self) -> Customer {
        let client = self.client();
        let request = CreateCustomerRequest {
            customer_id: String::new(),
            display_name: "Example".to_owned(),
            comment: String::new(),
        };
        let customer = client.create_customer(request).await;
        let id = customer.expect("a customer is made").customer_id;
        Customer { client, id }
    }

    /// Makes a customer with so many users, named by `user_id`.
    pub(crate) async fn customer_with_users(&self, count: usize) -> Customer {
        let customer = self.customer().await;
        customer.add_users(0..count).await;
        customer
    }
}

/// User number n: in the Netherlands, active.
pub(crate) fn imported_user(number: usize) -> ImportedUser {
    ImportedUser {
        user_id: user_id(number),
        principal_name: format!("user{number}@example.com"),
        display_name: Some(format!("User {number}")),
        usage_location: Some("NL".to_owned()),
        ..ImportedUser::default()
    }
}

impl Customer {
    pub(crate) async fn add_users(&self, numbers: impl IntoIterator<Item = usize>) {
        self.import(numbers.into_iter().map(imported_user).collect())
            .await;
    }

    /// Imports users, each of whom must be new or changed.
    pub(crate) async fn import(&self, users: Vec<ImportedUser>) {
        let outcomes = self.client.import_users(&self.id, users).await;
        for outcome in outcomes.expect("users are imported") {
            let is_done = matches!(outcome.kind(), Kind::Created | Kind::Updated);
            assert!(is_done, "{outcome:?}");
        }
    }

    /// Sets the seats that are enabled.
    pub(crate) async fn set_seats(&self, product: &str, enabled: i32) -> License {
        let request = SetSeatsRequest {
            customer_id: self.id.clone(),
            product_id: product.to_owned(),
            enabled: Some(enabled),
            ..SetSeatsRequest::default()
        };
        self.set_license(request).await
    }

    /// Sets the seats of a license, also below what is assigned.
    pub(crate) async fn set_license(&self, mut request: SetSeatsRequest) -> License {
        let set = self.client.set_seats(request.clone()).await;
        let set = match set {
            Err(error) if error.reason == ErrorReason::SeatsBelowAssigned => {
                request.confirmation = error.metadata["confirmation"].clone();
                self.client.set_seats(request).await
            }
            set => set,
        };
        set.expect("seats are set")
    }

    pub(crate) async fn license(&self, product: &str) -> License {
        let request = GetLicenseRequest {
            customer_id: self.id.clone(),
            product_id: product.to_owned(),
        };
        let license = self.client.get_license(request).await;
        license.expect("there is a license")
    }

    /// A request that does one change to users, under a new request id.
    pub(crate) fn request(&self, change: Change, users: Vec<String>) -> ExecuteBatchRequest {
        ExecuteBatchRequest {
            customer_id: self.id.clone(),
            request_id: Uuid::now_v7().to_string(),
            change: Some(change),
            users,
            user_changes: Vec::new(),
            ..Default::default()
        }
    }

    /// A request with a change per user, under a new request id.
    pub(crate) fn own_changes(
        &self,
        changes: impl IntoIterator<Item = (String, Change)>,
    ) -> ExecuteBatchRequest {
        let own = |(user, change)| UserChange {
            user,
            change: Some(change),
        };
        ExecuteBatchRequest {
            customer_id: self.id.clone(),
            request_id: Uuid::now_v7().to_string(),
            user_changes: changes.into_iter().map(own).collect(),
            ..ExecuteBatchRequest::default()
        }
    }

    /// Executes a request to its end and checks what is true of every batch.
    pub(crate) async fn execute(&self, request: ExecuteBatchRequest) -> Outcome {
        let named = request.users.len() + request.user_changes.len();
        let is_selection = request.selection.is_some();
        let outcome = read(self.client.batch(request)).await;
        let outcome = outcome.expect("the batch is accepted and ends");
        let selected = || usize::try_from(outcome.batch.user_count()).expect("a count");
        let count = if is_selection { selected() } else { named };
        assert_complete(&outcome, count);
        outcome
    }

    /// Does one change to users; their results in the order of the request.
    pub(crate) async fn run(&self, change: Change, users: &[String]) -> Vec<BatchResult> {
        let outcome = self.execute(self.request(change, users.to_vec())).await;
        outcome.by_index()
    }

    pub(crate) async fn assign(&self, products: &[&str], users: &[String]) -> Vec<BatchResult> {
        self.run(assign(products), users).await
    }

    pub(crate) async fn revoke(&self, products: &[&str], users: &[String]) -> Vec<BatchResult> {
        self.run(revoke(products), users).await
    }

    /// Gives products to users who can have them.
    pub(crate) async fn give(&self, products: &[&str], users: &[String]) {
        for result in self.assign(products, users).await {
            assert_applied(&result);
        }
    }

    pub(crate) async fn batch(&self, batch_id: &str) -> Batch {
        let request = GetBatchRequest {
            customer_id: self.id.clone(),
            batch_id: batch_id.to_owned(),
        };
        let batch = self.client.get_batch(request).await;
        batch.expect("there is a batch")
    }

    /// Waits until a batch has ended.
    pub(crate) async fn ended(&self, batch_id: &str) -> Batch {
        loop {
            let batch = self.batch(batch_id).await;
            if batch.state() == batch::State::Ended {
                return batch;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn users(&self) -> Vec<User> {
        let users = pages(|page_token| async move {
            let request = ListUsersRequest {
                customer_id: self.id.clone(),
                page_size: 1_000,
                page_token,
                order: UserOrder::UserId.into(),
                ..Default::default()
            };
            let page = self.client.list_users(request).await?;
            Ok((page.users, page.next_page_token))
        });
        users.await.expect("users are listed")
    }

    pub(crate) async fn licenses(&self) -> Vec<License> {
        let licenses = pages(|page_token| async move {
            let request = ListLicensesRequest {
                customer_id: self.id.clone(),
                page_size: 1_000,
                page_token,
                ..Default::default()
            };
            let page = self.client.list_licenses(request).await?;
            Ok((page.licenses, page.next_page_token))
        });
        licenses.await.expect("licenses are listed")
    }

    pub(crate) async fn assignments(&self) -> Vec<Assignment> {
        self.assignments_of("").await
    }

    /// What a user holds.
    pub(crate) async fn assignments_of(&self, user: &str) -> Vec<Assignment> {
        let assignments = pages(|page_token| async move {
            let request = ListAssignmentsRequest {
                customer_id: self.id.clone(),
                user: user.to_owned(),
                page_size: 1_000,
                page_token,
                ..Default::default()
            };
            let page = self.client.list_assignments(request).await?;
            Ok((page.assignments, page.next_page_token))
        });
        assignments.await.expect("assignments are listed")
    }

    /// The products that a user holds, by id.
    pub(crate) async fn products_of(&self, user: &str) -> Vec<String> {
        let assignments = self.assignments_of(user).await;
        assignments.into_iter().map(|a| a.product_id).collect()
    }

    pub(crate) async fn batches(&self) -> Vec<Batch> {
        let batches = pages(|page_token| async move {
            let request = ListBatchesRequest {
                customer_id: self.id.clone(),
                page_size: 1_000,
                page_token,
                ..Default::default()
            };
            let page = self.client.list_batches(request).await?;
            Ok((page.batches, page.next_page_token))
        });
        batches.await.expect("batches are listed")
    }

    /// Checks the seats of a license, and that every license counts its assignments right.
    pub(crate) async fn assert_seats(&self, product: &str, assigned: i32, available: i32) {
        let license = self.license(product).await;
        let seats = (license.assigned(), license.available());
        assert_eq!(seats, (assigned, available), "assigned and available");
        self.assert_counts().await;
    }

    /// Checks that every license counts its assignments right.
    pub(crate) async fn assert_counts(&self) {
        let mut counts: BTreeMap<String, i32> = BTreeMap::new();
        for assignment in self.assignments().await {
            *counts.entry(assignment.product_id).or_default() += 1;
        }
        for license in self.licenses().await {
            let count = counts.remove(&license.product_id).unwrap_or_default();
            assert_eq!(license.assigned(), count, "{}", license.display_name);
            let total = license.enabled() + license.warning();
            assert_eq!(license.total(), total, "{}", license.display_name);
            assert_eq!(license.available(), total - count);
        }
        assert_eq!(counts, BTreeMap::new(), "assignments without a license");
    }
}

impl Outcome {
    /// The results in the order of the request.
    pub(crate) fn by_index(&self) -> Vec<BatchResult> {
        let mut results = self.results.clone();
        results.sort_by_key(BatchResult::index);
        results
    }

    /// Applied, unchanged, failed.
    pub(crate) fn counts(&self) -> (i32, i32, i32) {
        counts(&self.batch)
    }

    pub(crate) fn bytes(&self) -> Vec<Vec<u8>> {
        bytes(&self.results)
    }
}

/// Applied, unchanged, failed.
pub(crate) fn counts(batch: &Batch) -> (i32, i32, i32) {
    (
        batch.applied_count(),
        batch.unchanged_count(),
        batch.failed_count(),
    )
}

/// The results as they were sent.
pub(crate) fn bytes(results: &[BatchResult]) -> Vec<Vec<u8>> {
    results.iter().map(Message::encode_to_vec).collect()
}

/// Reads a stream to its end.
pub(crate) async fn read(mut stream: BatchStream) -> Result<Outcome, Error> {
    let mut results = Vec::new();
    while let Some(result) = stream.next().await {
        results.push(result?.result);
    }
    Ok(Outcome {
        batch: stream.batch().expect("a stream tells its batch").clone(),
        replayed: stream.is_replayed(),
        results,
        summary: stream.summary().cloned().unwrap_or_default(),
    })
}

/// Executes a request and does something else as soon as the first result is there.
pub(crate) async fn interrupt(
    customer: &Customer,
    request: ExecuteBatchRequest,
    action: impl Future<Output = ()>,
) -> Outcome {
    let mut stream = customer.client.batch(request);
    let first = stream.next().await.expect("a result").expect("a result");
    let (rest, ()) = tokio::join!(read(stream), action);
    let rest = rest.expect("the batch ends");
    let results = [vec![first.result], rest.results].concat();
    Outcome { results, ..rest }
}

/// All items of a list, page by page.
pub(crate) async fn pages<T, P>(page: impl Fn(String) -> P) -> Result<Vec<T>, Error>
where
    P: Future<Output = Result<(Vec<T>, String), Error>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let (items, next) = page(token).await?;
        all.extend(items);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
}

/// Checks that a batch has ended with one result per user, and counts them right.
pub(crate) fn assert_complete(outcome: &Outcome, users: usize) {
    let Outcome { batch, results, .. } = outcome;
    assert_eq!(batch.state(), batch::State::Ended);
    assert!(batch.end_time.is_some(), "an ended batch has a time");
    let mut indexes: Vec<_> = results.iter().map(|result| result.index()).collect();
    indexes.sort_unstable();
    let expected: Vec<_> = (0..).take(users).collect();
    assert_eq!(indexes, expected, "every index once");
    let count = |wanted| {
        let same = results.iter().filter(|r| r.disposition() == wanted);
        i32::try_from(same.count()).expect("few")
    };
    let counted = (
        count(Disposition::Applied),
        count(Disposition::Unchanged),
        count(Disposition::Failed),
    );
    assert_eq!(counts(batch), counted, "the summary counts the results");
    assert_eq!(batch.user_count(), indexes.len() as i32);
    assert_eq!(batch.skipped_count(), 0);
}

pub(crate) fn assert_applied(result: &BatchResult) {
    assert_eq!(result.disposition(), Disposition::Applied, "{result:?}");
    assert_eq!(result.reasons, Vec::new());
}

/// Checks that nothing was to be done.
pub(crate) fn assert_unchanged(result: &BatchResult) {
    assert_eq!(result.disposition(), Disposition::Unchanged, "{result:?}");
    assert_untouched(result);
    assert_eq!(result.reasons, Vec::new());
}

/// Checks that a user was refused for exactly these reasons.
pub(crate) fn assert_failed(result: &BatchResult, codes: &[ReasonCode]) {
    assert_eq!(result.disposition(), Disposition::Failed, "{result:?}");
    assert_untouched(result);
    assert_eq!(codes_of(result), codes, "{result:?}");
}

fn assert_untouched(result: &BatchResult) {
    let edits = [
        &result.assigned_product_ids,
        &result.revoked_product_ids,
        &result.changed_product_ids,
    ];
    assert!(edits.iter().all(|ids| ids.is_empty()), "{result:?}");
}

pub(crate) fn codes_of(result: &BatchResult) -> Vec<ReasonCode> {
    result.reasons.iter().map(|reason| reason.code()).collect()
}

/// The time of day, to be compared with what the server says of itself.
#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock is another process's"
)]
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// When a result was made.
pub(crate) fn commit_time(result: &BatchResult) -> SystemTime {
    let time = result.commit_time.expect("every result has one");
    time.try_into().expect("a time after 1970")
}

/// The products that a result says the user holds.
pub(crate) fn held(result: &BatchResult) -> Vec<&str> {
    let held = result.held.iter();
    held.map(|held| held.product_id.as_str()).collect()
}
