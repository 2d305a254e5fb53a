-- Distributed by customer_id. A deleted user stays as a tombstone without names: its id is never
-- used again, its principal name can be. sort_key: the folded display name.
CREATE TABLE users (
    customer_id uuid NOT NULL,
    user_id uuid NOT NULL,
    principal_name text NOT NULL,
    principal_key text COLLATE "C",
    display_name text NOT NULL,
    sort_key text COLLATE "C" NOT NULL,
    usage_location text,
    active bool NOT NULL,
    last_active_at timestamptz,
    version int8 NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (customer_id, user_id),
    CONSTRAINT users_principal_key_key UNIQUE (customer_id, principal_key),
    CONSTRAINT users_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
)
