-- Reference table. roles: a bit for each. customer_ids: 16 bytes each, sorted; NULL is all. There is no
-- reference to customers, which are not deleted.
CREATE TABLE grants (
    grant_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    roles int2 NOT NULL,
    customer_ids bytea,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT grants_pkey PRIMARY KEY (grant_id),
    CONSTRAINT grants_principal_id_fkey FOREIGN KEY (principal_id) REFERENCES principals (principal_id)
)
