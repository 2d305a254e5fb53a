-- Distributed by customer_id. choice_id is a number of plan_choices. catalogue_version: the one that the
-- choice was made under.
CREATE TABLE assignments (
    customer_id uuid NOT NULL,
    user_id uuid NOT NULL,
    product_id uuid NOT NULL,
    choice_id int4 NOT NULL,
    catalogue_version int8 NOT NULL,
    batch_id uuid NOT NULL,
    assigned_at timestamptz NOT NULL,
    CONSTRAINT assignments_pkey PRIMARY KEY (customer_id, user_id, product_id),
    CONSTRAINT assignments_user_id_fkey FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, user_id),
    CONSTRAINT assignments_product_id_fkey FOREIGN KEY (customer_id, product_id) REFERENCES licenses (customer_id, product_id)
)
