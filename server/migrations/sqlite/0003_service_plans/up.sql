-- Reference table.
CREATE TABLE service_plans (
    plan_id BLOB NOT NULL,
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    CONSTRAINT service_plans_pkey PRIMARY KEY (plan_id)
) STRICT, WITHOUT ROWID
