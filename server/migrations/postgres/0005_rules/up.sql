-- Reference table. Plans need not be in the catalogue, so that a rule can come first.
-- kind: 1 excludes, 2 requires any of, 3 prohibited in. other: ids joined by |, or a country.
CREATE TABLE rules (
    kind int2 NOT NULL,
    plan_id uuid NOT NULL,
    other text COLLATE "C" NOT NULL,
    plan_name text NOT NULL,
    other_names text NOT NULL,
    CONSTRAINT rules_pkey PRIMARY KEY (kind, plan_id, other)
)
