//! The floor on PostgreSQL: one connection, prepared statements over arrays that were made before the
//! clock runs, and a whole transaction in one round trip. A transaction per user is the same
//! statements one after another, as programs that serve one user at a time send them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::{FutureExt, LocalBoxFuture, try_join_all};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};
use uuid::Uuid;

use super::workload::Rows;

/// Any time does.
const TIME: Duration = Duration::from_secs(1_800_000_000);

const BATCH: &str = "INSERT INTO batches (customer_id, batch_id, request_id, request_hash, state, \
    user_count, next_position, applied_count, unchanged_count, failed_count, skipped_count, terms, \
    capacity, stopped, tally, fence, lease_expires_at, created_at, results) \
    VALUES ($1, $2, $2, '', 1, $3, 0, 0, 0, 0, 0, 0, 1, 0, '', 1, now(), now(), 1)";
const ASSIGNMENTS: &str = "INSERT INTO assignments (customer_id, user_id, product_id, choice_id, \
    catalogue_version, batch_id, assigned_at) SELECT $1, t.u, t.p, 0, 1, $2, $3 \
    FROM unnest($4::uuid[], $5::uuid[]) AS t(u, p)";
const SEATS: &str = "UPDATE licenses SET assigned = assigned + $2 \
    WHERE customer_id = $1 AND product_id = ANY($3)";
const CHANGES: &str = "INSERT INTO changes (customer_id, seq, kind, thing_id, details) \
    SELECT $1, t.s, 1, t.thing, $2 FROM unnest($3::int8[], $4::uuid[]) AS t(s, thing)";
const COMMIT: &str = "INSERT INTO commits (customer_id, last_seq, first_seq, committed_at, hash, \
    who, through, batch_id, comment) VALUES ($1, $3, $4, $5, $6, '', '', $2, '')";
const HEAD: &str = "UPDATE customers SET change_seq = $2, change_hash = $3, changed_at = $4 \
    WHERE customer_id = $1";
const RESULTS: &str = "INSERT INTO batch_results (customer_id, batch_id, first_position, \
    result_count, first_seq, change_count, dispositions, results, failed_user_ids) \
    VALUES ($1, $2, $3, $4, $3::int8 + 1, $4, decode(repeat('01', $4::int8::int4), 'hex'), $5, '')";
const PROGRESS: &str = "UPDATE batches SET next_position = next_position + $3, \
    applied_count = applied_count + $3, lease_expires_at = $4 \
    WHERE customer_id = $1 AND batch_id = $2";

/// Beyond what is recorded of the customer before anybody has a product.
const FIRST_SEQ: i64 = 1_000_000_000;
/// Any hash does: the floor decides and computes nothing.
const HASH: &[u8] = &[0; 32];

type Argument<'a> = &'a (dyn ToSql + Sync);

struct Statements {
    assignments: Statement,
    seats: Statement,
    changes: Statement,
    commit: Statement,
    head: Statement,
    results: Statement,
    progress: Statement,
}

/// The arguments of one transaction.
struct Arguments<'a> {
    first: i64,
    count: i64,
    /// Users and products of the assignments.
    holders: Vec<Uuid>,
    held: Vec<Uuid>,
    /// What is recorded: the users, and the licenses whose seats move.
    seqs: Vec<i64>,
    things: Vec<Uuid>,
    results: &'a [u8],
}

/// Writes the rows and says how long the transactions took.
pub(super) async fn write(client: &Client, rows: &Rows) -> Result<Duration, Error> {
    let users = rows.users() as i64;
    client
        .execute(BATCH, &[&rows.customer, &rows.batch, &users])
        .await?;
    let statements = prepare(client).await?;
    let chunks = arguments(rows);
    let begin = Instant::now();
    for chunk in &chunks {
        transaction(client, &statements, rows, chunk).await?;
    }
    Ok(begin.elapsed())
}

async fn transaction(
    client: &Client,
    statements: &Statements,
    rows: &Rows,
    chunk: &Arguments<'_>,
) -> Result<(), Error> {
    let now: SystemTime = UNIX_EPOCH + TIME;
    let (customer, batch) = (&rows.customer, &rows.batch);
    let run = |statement, arguments| execute(client, statement, arguments).boxed_local();
    let (holders, held) = (&chunk.holders, &chunk.held);
    let assignments: [Argument<'_>; 5] = [customer, batch, &now, holders, held];
    let seats: [Argument<'_>; 3] = [customer, &chunk.count, &rows.products];
    let changes: [Argument<'_>; 4] = [customer, &rows.edits, &chunk.seqs, &chunk.things];
    let (first, last) = (&chunk.seqs[0], &chunk.seqs[chunk.seqs.len() - 1]);
    let commit: [Argument<'_>; 6] = [customer, batch, last, first, &now, &HASH];
    let head: [Argument<'_>; 4] = [customer, last, &HASH, &now];
    let results: [Argument<'_>; 5] = [customer, batch, &chunk.first, &chunk.count, &chunk.results];
    let progress: [Argument<'_>; 4] = [customer, batch, &chunk.count, &now];
    let calls: Vec<LocalBoxFuture<'_, Result<(), Error>>> = vec![
        client.batch_execute("BEGIN").boxed_local(),
        run(&statements.assignments, &assignments),
        run(&statements.seats, &seats),
        run(&statements.changes, &changes),
        run(&statements.commit, &commit),
        run(&statements.head, &head),
        run(&statements.results, &results),
        run(&statements.progress, &progress),
        client.batch_execute("COMMIT").boxed_local(),
    ];
    if rows.pipelined {
        // They are sent in this order, before the first is answered.
        try_join_all(calls).await?;
    } else {
        for call in calls {
            call.await?;
        }
    }
    Ok(())
}

async fn execute(
    client: &Client,
    statement: &Statement,
    arguments: &[Argument<'_>],
) -> Result<(), Error> {
    client.execute(statement, arguments).await.map(drop)
}

async fn prepare(client: &Client) -> Result<Statements, Error> {
    Ok(Statements {
        assignments: client.prepare(ASSIGNMENTS).await?,
        seats: client.prepare(SEATS).await?,
        changes: client.prepare(CHANGES).await?,
        commit: client.prepare(COMMIT).await?,
        head: client.prepare(HEAD).await?,
        results: client.prepare(RESULTS).await?,
        progress: client.prepare(PROGRESS).await?,
    })
}

fn arguments(rows: &Rows) -> Vec<Arguments<'_>> {
    let mut all: Vec<Arguments<'_>> = Vec::with_capacity(rows.chunks.len());
    for chunk in &rows.chunks {
        let first = all.last().map_or(0, |before| before.first + before.count);
        let count = chunk.users.len() as i64;
        let products = &rows.products;
        let next = all.last().map_or(FIRST_SEQ, |before| {
            before.seqs[0] + before.seqs.len() as i64
        });
        let things: Vec<Uuid> = chunk.users.iter().chain(products).copied().collect();
        let repeated = |user| std::iter::repeat_n(user, products.len());
        all.push(Arguments {
            first,
            count,
            holders: chunk.users.iter().copied().flat_map(repeated).collect(),
            held: chunk.users.iter().flat_map(|_| products).copied().collect(),
            seqs: (next..).take(things.len()).collect(),
            things,
            results: &chunk.results,
        });
    }
    all
}
