-- Reference table. secret_hash: SHA-256 of what is not kept. used_at: to the minute.
CREATE TABLE api_keys (
    key_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    used_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_keys_principal_id_fkey FOREIGN KEY (principal_id) REFERENCES principals (principal_id)
)
