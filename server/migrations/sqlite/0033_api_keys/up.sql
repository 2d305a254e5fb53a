-- Reference table. secret_hash: SHA-256 of what is not kept. used_at: to the minute.
CREATE TABLE api_keys (
    key_id BLOB NOT NULL,
    principal_id BLOB NOT NULL,
    secret_hash BLOB NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    used_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_keys_principal_id_fkey FOREIGN KEY (principal_id) REFERENCES principals (principal_id)
) STRICT, WITHOUT ROWID
