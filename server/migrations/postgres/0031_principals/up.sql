-- Reference table. Who may call. kind: 1 by key, 2 by token, 3 by certificate. name: of a token its subject, of
-- a certificate a name that it has.
CREATE TABLE principals (
    principal_id uuid NOT NULL,
    kind int2 NOT NULL,
    name text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT principals_pkey PRIMARY KEY (principal_id),
    CONSTRAINT principals_name_key UNIQUE (kind, name)
)
