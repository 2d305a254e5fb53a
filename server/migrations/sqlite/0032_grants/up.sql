-- Reference table. roles: a bit for each. customer_ids: 16 bytes each, sorted; NULL is all. There is no
-- reference to customers, which are not deleted.
CREATE TABLE grants (
    grant_id BLOB NOT NULL,
    principal_id BLOB NOT NULL,
    roles INTEGER NOT NULL,
    customer_ids BLOB,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT grants_pkey PRIMARY KEY (grant_id),
    CONSTRAINT grants_principal_id_fkey FOREIGN KEY (principal_id) REFERENCES principals (principal_id)
) STRICT, WITHOUT ROWID
