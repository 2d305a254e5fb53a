//! The server dies at any moment of a batch and goes on after its restart as if nothing had been.

use std::time::Duration;

use seatwise_client::BatchRequest;
use seatwise_client::v1::{ExecuteBatchRequest, GetBatchRequest, batch};
use tokio::sync::mpsc;

use crate::customer::{
    Customer, Outcome, assert_complete, commit_time, counts, imported_user, read, wall_clock,
};
use crate::earlier::comparable;
use crate::fixtures::product::{NOTES, SUITE};
use crate::fixtures::{Random, assign, change, import_catalogue, user_ids};
use crate::harness::{Harness, on_every_engine};

const USERS: usize = 20_000;
const KILLS: usize = 20;
/// A batch may end before it was killed often enough; then another takes its place.
const BATCHES_MAX: usize = 12;
/// A kill comes at most so long after the server has begun to work on the batch (again).
const LIFE_MAX: Duration = Duration::from_millis(400);

async fn a_killed_server_goes_on_and_the_stream_tells_every_result_once(server: &Harness) {
    server.start_process().await;
    import_catalogue(&server.client()).await;
    let expected = undisturbed(server).await;
    let mut random = Random::new(0x5ea7);
    let mut kills = 0;
    for _ in 0..BATCHES_MAX {
        let customer = customer_with_trouble(server).await;
        let request = request(&customer).into();
        let (outcome, hits) =
            kill_while_it_runs(server, &customer, request, &mut random, KILLS - kills).await;
        println!("{hits} kills hit this batch");
        kills += hits;
        assert_complete(&outcome, USERS);
        assert_eq!(comparable(&outcome.results), comparable(&expected.results));
        assert_eq!(outcome.counts(), expected.counts());
        customer.assert_counts().await;
        let stored = customer
            .client
            .batch_results(&customer.id, &outcome.batch.batch_id, "");
        let stored = read(stored).await;
        assert_eq!(stored.expect("results are stored").bytes(), outcome.bytes());
        if kills == KILLS {
            return;
        }
    }
    panic!("only {kills} kills of {KILLS} hit a running batch");
}

/// The results of a run in which nobody dies.
async fn undisturbed(server: &Harness) -> Outcome {
    let customer = customer_with_trouble(server).await;
    customer.execute(request(&customer)).await
}

/// Users of whom some are refused, and too few seats, so that order matters.
async fn customer_with_trouble(server: &Harness) -> Customer {
    let customer = server.customer().await;
    let users = (0..USERS).map(|number| {
        let mut user = imported_user(number);
        if number % 10 == 3 {
            user.usage_location = Some(String::new());
        }
        user
    });
    customer.import(users.collect()).await;
    customer.set_seats(NOTES, 15_000).await;
    customer.set_seats(SUITE, 1_000).await;
    let early: Vec<_> = user_ids(1_000)
        .into_iter()
        .filter(|user| !user.ends_with('3'))
        .collect();
    customer.assign(&[SUITE], &early).await;
    customer
}

/// Every third user changes products; the others get one. In an order unlike that of the ids.
fn request(customer: &Customer) -> ExecuteBatchRequest {
    let mut users: Vec<_> = user_ids(USERS).into_iter().enumerate().collect();
    Random::new(7).shuffle(&mut users);
    let turn = |(number, user): (usize, String)| match number % 3 {
        0 => (user, change(&[NOTES], &[SUITE])),
        _ => (user, assign(&[NOTES])),
    };
    customer.own_changes(users.into_iter().map(turn))
}

/// Runs the request while the server is killed and restarted, up to `kills` times, and says how
/// many of the kills fell between the commits of the first and of the last chunk.
async fn kill_while_it_runs(
    server: &Harness,
    customer: &Customer,
    request: BatchRequest,
    random: &mut Random,
    kills: usize,
) -> (Outcome, usize) {
    let mut stream = customer.client.batch(request);
    let batch_id = stream.accepted().await.expect("accepted").batch_id.clone();
    let (seen, mut first_seen) = mpsc::channel(1);
    let reading = tokio::spawn(async move {
        let mut results = Vec::new();
        while let Some(result) = stream.next().await {
            results.push(result.expect("the stream survives").result);
            let _ = seen.try_send(());
        }
        let batch = stream.batch().expect("a stream tells its batch").clone();
        let replayed = stream.is_replayed();
        let summary = stream.summary().cloned().unwrap_or_default();
        Outcome {
            batch,
            replayed,
            results,
            summary,
        }
    });
    // A result that was seen is stored: the first chunk has been committed.
    first_seen.recv().await.expect("a first result");

    let mut restarts = Vec::new();
    while restarts.len() < kills && is_running(customer, &batch_id).await {
        wait_for_work(server, customer, &batch_id).await;
        let life = u64::try_from(LIFE_MAX.as_micros()).expect("short");
        tokio::time::sleep(Duration::from_micros(random.below(life))).await;
        server.kill().await;
        restarts.push(wall_clock());
        server.start_process().await;
    }
    let outcome = reading.await.expect("the reader does not panic");
    let last = outcome.results.last().expect("there are results");
    let hits = restarts.iter().filter(|dead| commit_time(last) > **dead);
    let hits = hits.count();
    (outcome, hits)
}

async fn is_running(customer: &Customer, batch_id: &str) -> bool {
    customer.batch(batch_id).await.state() == batch::State::Running
}

/// Waits until the server has done something for the batch since its start, or the batch is over.
async fn wait_for_work(server: &Harness, customer: &Customer, batch_id: &str) {
    let client = server.another_client();
    let done = async || {
        let request = GetBatchRequest {
            customer_id: customer.id.clone(),
            batch_id: batch_id.to_owned(),
        };
        let batch = client.get_batch(request).await.expect("there is a batch");
        let (applied, unchanged, failed) = counts(&batch);
        (applied + unchanged + failed, batch.state())
    };
    let (before, _) = done().await;
    loop {
        let (now, state) = done().await;
        if now > before || state == batch::State::Ended {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Kills of a revert and of a retry.
const LATER_KILLS: usize = 3;

async fn a_revert_and_a_retry_outlive_killed_servers(server: &Harness) {
    server.start_process().await;
    import_catalogue(&server.client()).await;
    let mut random = Random::new(0xdead);
    let mut hits = (0, 0);
    for _ in 0..BATCHES_MAX {
        let customer = customer_with_trouble(server).await;
        let before = customer.world().await;
        let batch = customer.execute(request(&customer)).await;
        let failed = batch.batch.failed_count();
        assert!(failed > 2_000, "{failed}");

        let revert = customer.revert(&batch.batch.batch_id).into();
        let (reverted, killed) =
            kill_while_it_runs(server, &customer, revert, &mut random, LATER_KILLS).await;
        assert_complete(&reverted, batch.batch.applied_count() as usize);
        assert_eq!(reverted.counts(), (batch.batch.applied_count(), 0, 0));
        assert_eq!(customer.world().await, before, "as before the batch");
        hits.0 += killed;

        // Now there are seats for those who found none.
        customer.set_seats(NOTES, 2 * USERS as i32).await;
        let located = (0..USERS).filter(|number| number % 10 == 3);
        customer.import(located.map(imported_user).collect()).await;
        let retry = customer.retry(&batch.batch.batch_id).into();
        let (retried, killed) =
            kill_while_it_runs(server, &customer, retry, &mut random, LATER_KILLS).await;
        assert_complete(&retried, failed as usize);
        assert_eq!(retried.counts(), (failed, 0, 0));
        customer.assert_counts().await;
        hits.1 += killed;
        if hits.0 >= LATER_KILLS && hits.1 >= LATER_KILLS {
            return;
        }
    }
    panic!("only {hits:?} kills hit a running revert and a running retry");
}

on_every_engine![
    a_killed_server_goes_on_and_the_stream_tells_every_result_once,
    a_revert_and_a_retry_outlive_killed_servers,
];
