-- Reference table.
CREATE TABLE service_plans (
    plan_id uuid NOT NULL,
    name text NOT NULL,
    display_name text NOT NULL,
    CONSTRAINT service_plans_pkey PRIMARY KEY (plan_id)
)
