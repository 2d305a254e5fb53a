-- Reference table, one row: what all servers of an installation share.
CREATE TABLE installation (
    id INTEGER NOT NULL,
    token_key BLOB NOT NULL,
    catalogue_version INTEGER NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (id),
    CONSTRAINT installation_one_row CHECK (id = 1)
) STRICT, WITHOUT ROWID
