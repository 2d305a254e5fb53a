-- Reference table, one row: what all servers of an installation share.
CREATE TABLE installation (
    id int2 NOT NULL,
    token_key bytea NOT NULL,
    catalogue_version int8 NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (id),
    CONSTRAINT installation_one_row CHECK (id = 1)
)
