-- Reference table. sort_key: the folded display name. later_plans: 1 on, 2 off, for those who are
-- given all plans.
CREATE TABLE products (
    product_id BLOB NOT NULL,
    display_name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    string_id TEXT NOT NULL,
    string_key TEXT NOT NULL,
    for_company INTEGER NOT NULL,
    later_plans INTEGER NOT NULL,
    retired INTEGER NOT NULL,
    CONSTRAINT products_pkey PRIMARY KEY (product_id)
) STRICT, WITHOUT ROWID
