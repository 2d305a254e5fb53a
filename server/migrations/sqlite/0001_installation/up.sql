-- Reference table, one row: what all servers of an installation share.
-- change_seq, change_hash and changed_at: as of a customer, for the changes of the installation.
CREATE TABLE installation (
    id INTEGER NOT NULL,
    token_key BLOB NOT NULL,
    catalogue_version INTEGER NOT NULL,
    access_version INTEGER NOT NULL,
    change_seq INTEGER NOT NULL,
    change_hash BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (id),
    CONSTRAINT installation_one_row CHECK (id = 1)
) STRICT, WITHOUT ROWID
