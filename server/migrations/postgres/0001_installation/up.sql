-- Reference table, one row: what all servers of an installation share.
-- change_seq, change_hash and changed_at: as of a customer, for the changes of the installation.
CREATE TABLE installation (
    id int2 NOT NULL,
    token_key bytea NOT NULL,
    catalogue_version int8 NOT NULL,
    access_version int8 NOT NULL,
    change_seq int8 NOT NULL,
    change_hash bytea NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (id),
    CONSTRAINT installation_one_row CHECK (id = 1)
)
