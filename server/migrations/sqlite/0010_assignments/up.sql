-- Distributed by customer_id. choice_id is a number of plan_choices. catalogue_version: the one that the
-- choice was made under.
CREATE TABLE assignments (
    customer_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    product_id BLOB NOT NULL,
    choice_id INTEGER NOT NULL,
    catalogue_version INTEGER NOT NULL,
    batch_id BLOB NOT NULL,
    assigned_at INTEGER NOT NULL,
    CONSTRAINT assignments_pkey PRIMARY KEY (customer_id, user_id, product_id),
    CONSTRAINT assignments_user_id_fkey FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, user_id),
    CONSTRAINT assignments_product_id_fkey FOREIGN KEY (customer_id, product_id) REFERENCES licenses (customer_id, product_id)
) STRICT, WITHOUT ROWID
