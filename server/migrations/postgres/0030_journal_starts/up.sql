-- Distributed by customer_id; the nil id is the installation's. Where a journal begins since what was
-- before was pruned: the last commit that is gone. pruned_at: when it was moved there.
CREATE TABLE journal_starts (
    customer_id uuid NOT NULL,
    position int8 NOT NULL,
    hash bytea NOT NULL,
    committed_at timestamptz NOT NULL,
    pruned_at timestamptz NOT NULL,
    CONSTRAINT journal_starts_pkey PRIMARY KEY (customer_id)
)
