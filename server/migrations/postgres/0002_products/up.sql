-- Reference table. sort_key: the folded display name. later_plans: 1 on, 2 off, for those who are
-- given all plans.
CREATE TABLE products (
    product_id uuid NOT NULL,
    display_name text NOT NULL,
    sort_key text COLLATE "C" NOT NULL,
    string_id text NOT NULL,
    string_key text COLLATE "C" NOT NULL,
    for_company bool NOT NULL,
    later_plans int2 NOT NULL,
    retired bool NOT NULL,
    CONSTRAINT products_pkey PRIMARY KEY (product_id)
)
