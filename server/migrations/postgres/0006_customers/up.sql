-- Distributed by customer_id. change_seq numbers the changes of the customer without a gap.
-- sort_key: the folded display name, by which customers are listed. guard_users and
-- guard_percent: what a batch may take away unasked, users and percent of a license's holders.
-- change_hash and changed_at: of the customer's last commit.
CREATE TABLE customers (
    customer_id uuid NOT NULL,
    display_name text NOT NULL,
    sort_key text COLLATE "C" NOT NULL,
    change_seq int8 NOT NULL,
    change_hash bytea NOT NULL,
    changed_at timestamptz NOT NULL,
    guard_users int8,
    guard_percent int8,
    version int8 NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT customers_pkey PRIMARY KEY (customer_id),
    CONSTRAINT customers_sort_key_key UNIQUE (sort_key, customer_id)
) WITH (fillfactor = 50)
