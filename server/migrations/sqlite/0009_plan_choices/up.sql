-- Distributed by customer_id. Interned choices of plans; number 0, every plan, has no row.
-- only_named: true if just plan_ids are on, false if all but plan_ids are. plan_ids: sorted, 16 bytes each.
CREATE TABLE plan_choices (
    customer_id BLOB NOT NULL,
    choice_id INTEGER NOT NULL,
    only_named INTEGER NOT NULL,
    plan_ids BLOB NOT NULL,
    CONSTRAINT plan_choices_pkey PRIMARY KEY (customer_id, choice_id),
    CONSTRAINT plan_choices_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) STRICT, WITHOUT ROWID
