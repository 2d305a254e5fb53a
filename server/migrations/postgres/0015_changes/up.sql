-- Distributed by customer_id. One row per changed user and commit: which assignments were before
-- and after. edits: per product 16 bytes id, 4 bytes choice before, 4 bytes after; -1 is none.
-- batch_id is not set if the user was deleted.
CREATE TABLE changes (
    customer_id uuid NOT NULL,
    seq int8 NOT NULL,
    user_id uuid NOT NULL,
    batch_id uuid,
    edits bytea NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (customer_id, seq),
    CONSTRAINT changes_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
)
