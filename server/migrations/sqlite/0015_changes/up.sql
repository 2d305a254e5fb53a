-- Distributed by customer_id; the nil id is the installation's. The journal: a row per thing and commit,
-- numbered without a gap. kind and details: store/record.rs. Never a name or another value of a person.
-- There is no reference to customers, which is looked up for each row: commits have one customer each.
CREATE TABLE changes (
    customer_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    thing_id BLOB NOT NULL,
    details BLOB NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (customer_id, seq)
) STRICT, WITHOUT ROWID
