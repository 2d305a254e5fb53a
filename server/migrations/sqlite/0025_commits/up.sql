-- Distributed by customer_id; the nil id is the installation's. One row per transaction that changed
-- something: its rows of changes, and the link that chains it to the commit before it.
-- committed_at never goes back within a customer, so that a time is a place in the journal.
CREATE TABLE commits (
    customer_id BLOB NOT NULL,
    last_seq INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    hash BLOB NOT NULL,
    who TEXT NOT NULL,
    through TEXT NOT NULL,
    request_id BLOB,
    batch_id BLOB,
    comment TEXT NOT NULL,
    CONSTRAINT commits_pkey PRIMARY KEY (customer_id, last_seq),
    CONSTRAINT commits_committed_at_key UNIQUE (customer_id, committed_at, last_seq)
) STRICT, WITHOUT ROWID
