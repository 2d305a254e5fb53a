-- Distributed by customer_id. change_seq numbers the changes of the customer without a gap.
-- sort_key: the folded display name, by which customers are listed. guard_users and
-- guard_percent: what a batch may take away unasked, users and percent of a license's holders.
-- change_hash and changed_at: of the customer's last commit.
CREATE TABLE customers (
    customer_id BLOB NOT NULL,
    display_name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    change_seq INTEGER NOT NULL,
    change_hash BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    guard_users INTEGER,
    guard_percent INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT customers_pkey PRIMARY KEY (customer_id),
    CONSTRAINT customers_sort_key_key UNIQUE (sort_key, customer_id)
) STRICT, WITHOUT ROWID
