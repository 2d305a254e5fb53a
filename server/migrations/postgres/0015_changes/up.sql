-- Distributed by customer_id; the nil id is the installation's. The journal: a row per thing and commit,
-- numbered without a gap. kind and details: store/record.rs. Never a name or another value of a person.
-- There is no reference to customers, which is looked up for each row: commits have one customer each.
CREATE TABLE changes (
    customer_id uuid NOT NULL,
    seq int8 NOT NULL,
    kind int2 NOT NULL,
    thing_id uuid NOT NULL,
    details bytea NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (customer_id, seq)
)
