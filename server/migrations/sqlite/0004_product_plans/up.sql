-- Reference table. added_version: the version of the catalogue that brought the pair. A pair is retired, never deleted: who held the product before keeps the plan.
CREATE TABLE product_plans (
    product_id BLOB NOT NULL,
    plan_id BLOB NOT NULL,
    retired INTEGER NOT NULL,
    added_version INTEGER NOT NULL,
    CONSTRAINT product_plans_pkey PRIMARY KEY (product_id, plan_id),
    CONSTRAINT product_plans_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
    CONSTRAINT product_plans_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES service_plans (plan_id)
) STRICT, WITHOUT ROWID
