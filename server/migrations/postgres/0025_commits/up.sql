-- Distributed by customer_id; the nil id is the installation's. One row per transaction that changed
-- something: its rows of changes, and the link that chains it to the commit before it.
-- committed_at never goes back within a customer, so that a time is a place in the journal.
CREATE TABLE commits (
    customer_id uuid NOT NULL,
    last_seq int8 NOT NULL,
    first_seq int8 NOT NULL,
    committed_at timestamptz NOT NULL,
    hash bytea NOT NULL,
    who text NOT NULL,
    through text NOT NULL,
    request_id uuid,
    batch_id uuid,
    comment text NOT NULL,
    CONSTRAINT commits_pkey PRIMARY KEY (customer_id, last_seq),
    CONSTRAINT commits_committed_at_key UNIQUE (customer_id, committed_at, last_seq)
)
