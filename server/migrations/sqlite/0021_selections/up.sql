-- Distributed by customer_id. Frozen selections. is_sorted: the order of the selection is the one
-- by name, so that it has no chunks in that order of its own.
CREATE TABLE selections (
    customer_id BLOB NOT NULL,
    selection_id BLOB NOT NULL,
    user_count INTEGER NOT NULL,
    is_sorted INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT selections_pkey PRIMARY KEY (customer_id, selection_id),
    CONSTRAINT selections_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) STRICT, WITHOUT ROWID
