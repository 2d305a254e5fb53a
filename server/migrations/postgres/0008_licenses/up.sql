-- Distributed by customer_id. assigned may exceed enabled + warning after an allowed cut.
-- later_plans: 0 as the product says, 1 on, 2 off.
CREATE TABLE licenses (
    customer_id uuid NOT NULL,
    product_id uuid NOT NULL,
    enabled int8 NOT NULL,
    warning int8 NOT NULL,
    suspended int8 NOT NULL,
    assigned int8 NOT NULL,
    later_plans int2 NOT NULL,
    version int8 NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT licenses_pkey PRIMARY KEY (customer_id, product_id),
    CONSTRAINT licenses_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id),
    CONSTRAINT licenses_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
    CONSTRAINT licenses_seats_not_negative CHECK (enabled >= 0 AND warning >= 0 AND suspended >= 0 AND assigned >= 0)
) WITH (fillfactor = 50)
