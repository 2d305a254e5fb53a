-- Distributed by customer_id. state: 1 running, 2 ended. next_position: how many users have a result.
-- fence and lease_expires_at: which server works on the batch, and until when without a sign of life.
-- terms: 0 best effort, -1 atomic, n stop after n failures. stopped: why the rest is skipped, 1 failures,
-- 2 plan stale, 3 rolled back, 4 cancelled, 5 access lost, 0 it is not. capacity: 1 fill in order, 2 refuse if short.
-- tally: sums of seats and reasons. reverts and retries: the batch that this one takes back or tries again;
-- reverted_by and retried_by: the newest that does so to this one. results: 1 kept, 2 being pruned,
-- 3 pruned.
CREATE TABLE batches (
    customer_id BLOB NOT NULL,
    batch_id BLOB NOT NULL,
    request_id BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    state INTEGER NOT NULL,
    user_count INTEGER NOT NULL,
    next_position INTEGER NOT NULL,
    applied_count INTEGER NOT NULL,
    unchanged_count INTEGER NOT NULL,
    failed_count INTEGER NOT NULL,
    skipped_count INTEGER NOT NULL,
    terms INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    stopped INTEGER NOT NULL,
    tally BLOB NOT NULL,
    fence INTEGER NOT NULL,
    lease_expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    reverts_batch_id BLOB,
    reverted_by_batch_id BLOB,
    retries_batch_id BLOB,
    retried_by_batch_id BLOB,
    results INTEGER NOT NULL,
    CONSTRAINT batches_pkey PRIMARY KEY (customer_id, batch_id),
    CONSTRAINT batches_request_id_key UNIQUE (customer_id, request_id),
    CONSTRAINT batches_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id),
    CONSTRAINT batches_counts CHECK (applied_count + unchanged_count + failed_count + skipped_count = next_position AND next_position <= user_count)
) STRICT, WITHOUT ROWID
