-- Distributed by customer_id. Frozen selections. is_sorted: the order of the selection is the one
-- by name, so that it has no chunks in that order of its own.
CREATE TABLE selections (
    customer_id uuid NOT NULL,
    selection_id uuid NOT NULL,
    user_count int8 NOT NULL,
    is_sorted bool NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT selections_pkey PRIMARY KEY (customer_id, selection_id),
    CONSTRAINT selections_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
)
