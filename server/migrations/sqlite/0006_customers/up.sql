-- Distributed by customer_id. change_seq numbers the changes of the customer without a gap.
CREATE TABLE customers (
    customer_id BLOB NOT NULL,
    display_name TEXT NOT NULL,
    change_seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT customers_pkey PRIMARY KEY (customer_id)
) STRICT, WITHOUT ROWID
