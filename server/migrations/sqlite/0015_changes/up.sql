-- Distributed by customer_id. One row per changed user and commit: which assignments were before
-- and after. edits: per product 16 bytes id, 4 bytes choice before, 4 bytes after; -1 is none.
-- batch_id is not set if the user was deleted.
CREATE TABLE changes (
    customer_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    user_id BLOB NOT NULL,
    batch_id BLOB,
    edits BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (customer_id, seq),
    CONSTRAINT changes_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) STRICT, WITHOUT ROWID
