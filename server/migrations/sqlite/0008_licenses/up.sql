-- Distributed by customer_id. assigned may exceed enabled + warning after an allowed cut.
-- later_plans: 0 as the product says, 1 on, 2 off.
CREATE TABLE licenses (
    customer_id BLOB NOT NULL,
    product_id BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    warning INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    assigned INTEGER NOT NULL,
    later_plans INTEGER NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT licenses_pkey PRIMARY KEY (customer_id, product_id),
    CONSTRAINT licenses_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id),
    CONSTRAINT licenses_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
    CONSTRAINT licenses_seats_not_negative CHECK (enabled >= 0 AND warning >= 0 AND suspended >= 0 AND assigned >= 0)
) STRICT, WITHOUT ROWID
