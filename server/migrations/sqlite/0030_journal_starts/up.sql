-- Distributed by customer_id; the nil id is the installation's. Where a journal begins since what was
-- before was pruned: the last commit that is gone. pruned_at: when it was moved there.
CREATE TABLE journal_starts (
    customer_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    committed_at INTEGER NOT NULL,
    pruned_at INTEGER NOT NULL,
    CONSTRAINT journal_starts_pkey PRIMARY KEY (customer_id)
) STRICT, WITHOUT ROWID
