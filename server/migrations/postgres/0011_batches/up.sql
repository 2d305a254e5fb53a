-- Distributed by customer_id. state: 1 running, 2 ended. next_position: how many users have a result.
-- fence and lease_expires_at: which server works on the batch, and until when without a sign of life.
-- terms: 0 best effort, -1 atomic, n stop after n failures. stopped: why the rest is skipped, 1 failures,
-- 2 plan stale, 3 rolled back, 4 cancelled, 5 access lost, 0 it is not. capacity: 1 fill in order, 2 refuse if short.
-- tally: sums of seats and reasons. reverts and retries: the batch that this one takes back or tries again;
-- reverted_by and retried_by: the newest that does so to this one. results: 1 kept, 2 being pruned,
-- 3 pruned.
CREATE TABLE batches (
    customer_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    state int2 NOT NULL,
    user_count int8 NOT NULL,
    next_position int8 NOT NULL,
    applied_count int8 NOT NULL,
    unchanged_count int8 NOT NULL,
    failed_count int8 NOT NULL,
    skipped_count int8 NOT NULL,
    terms int8 NOT NULL,
    capacity int2 NOT NULL,
    stopped int2 NOT NULL,
    tally bytea NOT NULL,
    fence int8 NOT NULL,
    lease_expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    reverts_batch_id uuid,
    reverted_by_batch_id uuid,
    retries_batch_id uuid,
    retried_by_batch_id uuid,
    results int2 NOT NULL,
    CONSTRAINT batches_pkey PRIMARY KEY (customer_id, batch_id),
    CONSTRAINT batches_request_id_key UNIQUE (customer_id, request_id),
    CONSTRAINT batches_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id),
    CONSTRAINT batches_counts CHECK (applied_count + unchanged_count + failed_count + skipped_count = next_position AND next_position <= user_count)
) WITH (fillfactor = 50)
