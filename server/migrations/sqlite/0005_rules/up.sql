-- Reference table. Plans need not be in the catalogue, so that a rule can come first.
-- kind: 1 excludes, 2 requires any of, 3 prohibited in. other: ids joined by |, or a country.
CREATE TABLE rules (
    kind INTEGER NOT NULL,
    plan_id BLOB NOT NULL,
    other TEXT NOT NULL,
    plan_name TEXT NOT NULL,
    other_names TEXT NOT NULL,
    CONSTRAINT rules_pkey PRIMARY KEY (kind, plan_id, other)
) STRICT, WITHOUT ROWID
