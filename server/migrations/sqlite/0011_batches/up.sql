-- Distributed by customer_id. state: 1 running, 2 ended. next_position: how many users have a result.
-- fence and lease_expires_at: which server works on the batch, and until when without a sign of life.
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
    fence INTEGER NOT NULL,
    lease_expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    CONSTRAINT batches_pkey PRIMARY KEY (customer_id, batch_id),
    CONSTRAINT batches_request_id_key UNIQUE (customer_id, request_id),
    CONSTRAINT batches_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id),
    CONSTRAINT batches_counts CHECK (applied_count + unchanged_count + failed_count = next_position AND next_position <= user_count)
) STRICT, WITHOUT ROWID
