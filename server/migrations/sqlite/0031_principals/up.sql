-- Reference table. Who may call. kind: 1 by key, 2 by token, 3 by certificate. name: of a token its subject, of
-- a certificate a name that it has.
CREATE TABLE principals (
    principal_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT principals_pkey PRIMARY KEY (principal_id),
    CONSTRAINT principals_name_key UNIQUE (kind, name)
) STRICT, WITHOUT ROWID
