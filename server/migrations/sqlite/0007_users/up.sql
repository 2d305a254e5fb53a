-- Distributed by customer_id. A deleted user stays as a tombstone without names: its id is never
-- used again, its principal name can be. sort_key: the folded display name.
CREATE TABLE users (
    customer_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    principal_name TEXT NOT NULL,
    principal_key TEXT,
    display_name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    usage_location TEXT,
    active INTEGER NOT NULL,
    last_active_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    CONSTRAINT users_pkey PRIMARY KEY (customer_id, user_id),
    CONSTRAINT users_principal_key_key UNIQUE (customer_id, principal_key),
    CONSTRAINT users_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) STRICT, WITHOUT ROWID
