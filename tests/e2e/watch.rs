//! Watches: every change once and in order, whatever becomes of readers, servers and old changes.

use seatwise_client::transport::tonic::{Status, Streaming};
use seatwise_client::transport::v1::history_service_client::HistoryServiceClient;
use seatwise_client::v1::{
    ErrorReason, GetCheckpointRequest, HistoryRecord, ListHistoryRequest, RecordKind,
    UpdateCustomerRequest, UpdateProductRequest, WatchChangesRequest, WatchChangesResponse,
    WatchProgress, WatchedChange, product, watch_changes_response::Frame,
};
use seatwise_client::{Code, Error, WatchStream};

use crate::customer::{Customer, pages};
use crate::fixtures::product::{NOTES, VIDEO};
use crate::fixtures::{UNKNOWN_ID, assign, import_catalogue, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::raw;

/// More changes than all buffers between a server and a reader hold.
const MANY: usize = 20_000;

impl Customer {
    pub(crate) fn changes_after(&self, token: &str) -> WatchChangesRequest {
        WatchChangesRequest {
            customer_id: self.id.clone(),
            watch_token: token.to_owned(),
            kinds: Vec::new(),
        }
    }

    /// A watch that has begun.
    pub(crate) async fn watch(&self, token: &str) -> WatchStream {
        let mut watch = self.client.watch(self.changes_after(token));
        watch.begun().await.expect("a watch");
        watch
    }

    /// The end of the journal.
    async fn end(&self) -> i64 {
        let request = GetCheckpointRequest {
            customer_id: self.id.clone(),
        };
        let checkpoint = self.client.get_checkpoint(request).await;
        checkpoint.expect("a checkpoint").position
    }

    /// All that was done since, the oldest first, as the history tells it.
    async fn history_since(&self, position: i64) -> Vec<HistoryRecord> {
        let records = pages(|page_token| async {
            let request = ListHistoryRequest {
                customer_id: self.id.clone(),
                page_size: 1_000,
                page_token,
                ..ListHistoryRequest::default()
            };
            let page = self.client.list_history(request).await?;
            Ok((page.records, page.next_page_token))
        });
        let mut records = records.await.expect("a history");
        records.retain(|record| record.position > position);
        records.reverse();
        records
    }

    /// Does what tells a reader that nothing more comes.
    async fn end_with(&self, name: &str) {
        let request = UpdateCustomerRequest {
            customer_id: self.id.clone(),
            display_name: Some(name.to_owned()),
            ..UpdateCustomerRequest::default()
        };
        let renamed = self.client.update_customer(request).await;
        renamed.expect("the customer is renamed");
    }

    /// Checks that the changes are all that was done since.
    async fn assert_all_since(&self, position: i64, seen: Vec<WatchedChange>) {
        let seen: Vec<_> = seen.into_iter().map(record).collect();
        let expected = self.history_since(position).await;
        let positions = |records: &[HistoryRecord]| -> Vec<i64> {
            records.iter().map(|record| record.position).collect()
        };
        assert_eq!(positions(&seen), positions(&expected));
        let numbers: Vec<_> = (position + 1..).take(seen.len()).collect();
        assert_eq!(positions(&seen), numbers, "without a gap");
        assert!(seen == expected, "each as the history tells it");
    }
}

fn record(change: WatchedChange) -> HistoryRecord {
    change.record.expect("a change has a record")
}

fn kind(change: &WatchedChange) -> RecordKind {
    let record = change.record.as_ref().and_then(|row| row.record.as_ref());
    record.expect("a record").kind()
}

/// Reads until the customer gets another name.
async fn read(mut watch: WatchStream) -> Vec<WatchedChange> {
    let mut seen = Vec::new();
    read_until(&mut watch, &mut seen, RecordKind::CustomerRenamed).await;
    seen
}

/// Reads until a change of this kind, which is seen as well.
async fn read_until(watch: &mut WatchStream, seen: &mut Vec<WatchedChange>, last: RecordKind) {
    loop {
        let change = watch.next().await.expect("the watch goes on");
        assert_eq!(watch.token(), change.watch_token);
        let is_last = kind(&change) == last;
        seen.push(change);
        if is_last {
            return;
        }
    }
}

async fn every_change_comes_once_and_in_order_while_batches_and_calls_run(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3_000).await;
    customer.set_seats(NOTES, 3_000).await;
    let end = customer.end().await;
    let watches = [customer.watch("").await, customer.watch("").await];
    let [one, other] = watches.map(|watch| tokio::spawn(read(watch)));
    let calls = async {
        for seats in 1..=50 {
            customer.set_seats(VIDEO, seats).await;
        }
        customer.add_users(3_000..3_600).await;
    };
    let users = user_ids(3_000);
    tokio::join!(customer.give(&[NOTES], &users), calls);
    customer.end_with("The last").await;
    for reading in [one, other] {
        let seen = reading.await.expect("it is read");
        assert!(seen.len() > 3_600, "{}", seen.len());
        customer.assert_all_since(end, seen).await;
    }
}

async fn a_watch_goes_on_from_every_token(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer().await;
    let (from_start, start) = (customer.watch("").await, customer.end().await);
    customer.add_users(0..1_100).await;
    customer.end_with("The first").await;
    let seen = read(from_start).await;
    customer.assert_all_since(start, seen.clone()).await;
    for place in [0, 1, 499, 500, 1_099] {
        let watch = customer.watch(&seen[place].watch_token).await;
        assert_eq!(read(watch).await, seen[place + 1..], "after {place}");
    }
    // Nothing follows yet; nor does anything old to who asks for what is new.
    let last = customer.watch(&seen[1_100].watch_token).await;
    let now = customer.watch("").await;
    let end = customer.end().await;
    customer.end_with("The last").await;
    for watch in [last, now] {
        customer.assert_all_since(end, read(watch).await).await;
    }
}

async fn a_watch_tells_the_kinds_that_were_asked_for(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer().await;
    use RecordKind::{BatchEnded, CustomerRenamed, SeatsSet};
    let of_kinds = |token: &str| WatchChangesRequest {
        kinds: [SeatsSet, BatchEnded, CustomerRenamed]
            .map(i32::from)
            .into(),
        ..customer.changes_after(token)
    };
    let whole = customer.watch("").await;
    let mut some = customer.client.watch(of_kinds(""));
    some.begun().await.expect("a watch");
    // So many that they are passed over in several steps.
    customer.add_users(0..11_000).await;
    customer.set_seats(NOTES, 9).await;
    customer.give(&[NOTES], &user_ids(3)).await;
    customer.end_with("The last").await;
    let mut expected = read(whole).await;
    let token = expected[0].watch_token.clone();
    expected.retain(|change| of_kinds("").kinds.contains(&kind(change).into()));
    let kinds: Vec<_> = expected.iter().map(kind).collect();
    assert_eq!(kinds, [SeatsSet, BatchEnded, CustomerRenamed]);
    assert_eq!(read(some).await, expected);
    let again = customer.client.watch(of_kinds(&token));
    assert_eq!(read(again).await, expected, "from before");
}

async fn changes_of_the_catalogue_can_be_watched(server: &Harness) {
    server.start_with_catalogue().await;
    let mut watch = server.client().watch(WatchChangesRequest::default());
    watch.begun().await.expect("a watch");
    let request = UpdateProductRequest {
        product_id: NOTES.to_owned(),
        applies_to: product::AppliesTo::Company.into(),
        ..UpdateProductRequest::default()
    };
    let updated = server.client().update_product(request).await;
    updated.expect("the product is changed");
    let change = watch.next().await.expect("a change");
    assert_eq!(kind(&change), RecordKind::Catalogue);
    let record = record(change).record.expect("a record");
    assert_eq!(record.product_name, "Notes");
}

/// The next frame of a watch without the client around it.
async fn frame(frames: &mut Streaming<WatchChangesResponse>) -> Result<Frame, Status> {
    let message = frames.message().await?;
    let message = message.expect("a watch ends with an error");
    Ok(message.frame.expect("a frame"))
}

async fn progress(frames: &mut Streaming<WatchChangesResponse>) -> WatchProgress {
    match frame(frames).await.expect("a frame") {
        Frame::Progress(progress) => progress,
        Frame::Changes(changes) => panic!("{changes:?}"),
    }
}

async fn who_does_not_read_is_given_up_and_comes_back(server: &Harness) {
    server.start().await;
    let customer = server.customer().await;
    let end = customer.end().await;
    let mut client = HistoryServiceClient::new(raw::narrow_channel(server));
    let watched = client.watch_changes(customer.changes_after("")).await;
    let mut slow = watched.expect("a watch").into_inner();
    let begun = progress(&mut slow).await;
    assert_eq!(begun.position, end);
    // One that goes on by itself, too.
    let patient = customer.watch("").await;

    customer.add_users(0..MANY).await;
    customer.end_with("The last").await;
    // A watch with nothing to tell says every 10 seconds that it is alive; so long nobody reads.
    let mut client = HistoryServiceClient::new(raw::channel(server));
    let silent = server.customer().await;
    let watched = client.watch_changes(silent.changes_after("")).await;
    let mut alive = watched.expect("a watch").into_inner();
    let first = progress(&mut alive).await;
    assert_eq!(progress(&mut alive).await, first);
    assert_eq!(first.position, silent.end().await);

    let (mut seen, mut token) = (Vec::new(), begun.watch_token);
    let error = loop {
        match frame(&mut slow).await {
            Ok(Frame::Changes(frame)) => seen.extend(frame.changes),
            Ok(Frame::Progress(progress)) => panic!("{progress:?}"),
            Err(status) => break Error::from(status),
        }
        token.clone_from(&seen.last().expect("a frame is not empty").watch_token);
    };
    let reason = ErrorReason::WatchTooSlow;
    assert_eq!((error.code, error.reason), (Code::Aborted, reason));
    assert_eq!(error.metadata["watchToken"], token);
    assert!(seen.len() < MANY / 2, "{} were sent", seen.len());
    seen.extend(read(customer.watch(&token).await).await);
    customer.assert_all_since(end, seen).await;
    customer.assert_all_since(end, read(patient).await).await;
}

/// Reads a watch of a running batch while its server ends and comes back, several times.
async fn outlive(server: &Harness, again: impl AsyncFn()) {
    let customer = server.customer_with_users(5_000).await;
    customer.set_seats(NOTES, 5_000).await;
    let (mut watch, end) = (customer.watch("").await, customer.end().await);
    let request = customer.request(assign(&[NOTES]), user_ids(5_000));
    let batch = tokio::spawn({
        let customer = customer.clone();
        async move { customer.execute(request).await }
    });
    let mut seen = Vec::new();
    read_until(&mut watch, &mut seen, RecordKind::Assignments).await;
    for seats in 1..=3 {
        again().await;
        // Seen only by a watch that has found the new server.
        customer.set_seats(VIDEO, seats).await;
        read_until(&mut watch, &mut seen, RecordKind::SeatsSet).await;
    }
    let outcome = batch.await.expect("the batch ends");
    assert_eq!(outcome.counts(), (5_000, 0, 0));
    customer.end_with("The last").await;
    seen.extend(read(watch).await);
    customer.assert_all_since(end, seen).await;
}

async fn a_watch_outlives_killed_servers(server: &Harness) {
    server.start_process().await;
    import_catalogue(&server.client()).await;
    let again = async || {
        server.kill().await;
        server.start_process().await;
    };
    outlive(server, again).await;
}

async fn a_watch_outlives_servers_that_stop(server: &Harness) {
    server.start_with_catalogue().await;
    outlive(server, async || server.restart().await).await;
}

async fn a_server_that_stops_ends_its_watches(server: &Harness) {
    server.start().await;
    let customer = server.customer().await;
    let mut client = HistoryServiceClient::new(raw::channel(server));
    let watched = client.watch_changes(customer.changes_after("")).await;
    let mut frames = watched.expect("a watch").into_inner();
    progress(&mut frames).await;
    server.stop().await;
    let end = frame(&mut frames).await.expect_err("the end");
    let error = Error::from(end);
    let reason = ErrorReason::ShuttingDown;
    assert_eq!((error.code, error.reason), (Code::Unavailable, reason));
}

async fn a_token_of_pruned_changes_is_refused_with_the_oldest(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer().await;
    let mut running = customer.watch("").await;
    let start = running.token().to_owned();
    // It has lost its server before anything was done, and will look for another when it is read.
    server.restart().await;
    customer.set_seats(NOTES, 1).await;
    // Up to the import of the users, which is one commit.
    customer.add_users(0..10).await;
    let oldest = customer.end().await;
    customer.set_seats(NOTES, 2).await;
    customer.end_with("The last").await;
    let all = customer.history_since(0).await;
    server.stop().await;
    let mine = "customer_id = (SELECT customer_id FROM customers)";
    let statements = format!(
        "INSERT INTO journal_starts SELECT customer_id, last_seq, hash, committed_at, committed_at
             FROM commits WHERE {mine} AND last_seq = {oldest};
         DELETE FROM changes WHERE {mine} AND seq <= {oldest};
         DELETE FROM commits WHERE {mine} AND last_seq <= {oldest};"
    );
    server.edit_database(statements).await;
    server.start().await;

    let mut old = customer.client.watch(customer.changes_after(&start));
    let error = old.next().await.expect_err("no change");
    let reason = ErrorReason::ChangesPruned;
    assert_eq!(
        (error.code, error.reason),
        (Code::FailedPrecondition, reason)
    );
    let token = &error.metadata["oldestWatchToken"];
    let dutch = server.client_in("nl").watch(customer.changes_after(&start));
    let told = { dutch }.begun().await.expect_err("no watch").localized;
    let told = told.expect("a text").text;
    assert!(told.contains("bewaard") && told.contains(token), "{told}");
    let kept = read(customer.watch(token).await).await;
    let kept: Vec<_> = kept.into_iter().map(record).collect();
    assert_eq!(kept, all[usize::try_from(oldest).expect("a place")..]);
    let lost = running.next().await.expect_err("a gap");
    assert_eq!(lost.reason, reason);
}

async fn what_is_no_place_of_the_journal_is_refused(server: &Harness) {
    server.start().await;
    let (customer, other) = (server.customer().await, server.customer().await);
    let foreign = other.watch("").await.token().to_owned();
    let own = customer.watch("").await.token().to_owned();
    let refusal = async |request: WatchChangesRequest| {
        let mut watch = customer.client.watch(request);
        let error = watch.begun().await.expect_err("no watch");
        (error.code, error.reason)
    };
    let invalid = |reason| (Code::InvalidArgument, reason);
    for token in ["x", "!", &own[1..], &foreign] {
        let refused = refusal(customer.changes_after(token)).await;
        assert_eq!(refused, invalid(ErrorReason::InvalidToken), "{token}");
    }
    let catalogue = WatchChangesRequest {
        customer_id: String::new(),
        ..customer.changes_after(&own)
    };
    assert_eq!(refusal(catalogue).await, invalid(ErrorReason::InvalidToken));
    for (customer_id, kinds) in [
        ("x", vec![]),
        (&customer.id, vec![1, 0]),
        (&customer.id, vec![99]),
    ] {
        let request = WatchChangesRequest {
            customer_id: customer_id.to_owned(),
            kinds,
            ..WatchChangesRequest::default()
        };
        assert_eq!(refusal(request).await, invalid(ErrorReason::InvalidField));
    }
    let unknown = WatchChangesRequest {
        customer_id: UNKNOWN_ID.to_owned(),
        ..WatchChangesRequest::default()
    };
    let not_found = (Code::NotFound, ErrorReason::ResourceNotFound);
    assert_eq!(refusal(unknown).await, not_found);
}

on_every_engine![
    every_change_comes_once_and_in_order_while_batches_and_calls_run,
    a_watch_goes_on_from_every_token,
    a_watch_tells_the_kinds_that_were_asked_for,
    changes_of_the_catalogue_can_be_watched,
    who_does_not_read_is_given_up_and_comes_back,
    a_watch_outlives_killed_servers,
    a_watch_outlives_servers_that_stop,
    a_server_that_stops_ends_its_watches,
    a_token_of_pruned_changes_is_refused_with_the_oldest,
    what_is_no_place_of_the_journal_is_refused,
];
