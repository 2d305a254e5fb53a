-- Distributed by customer_id. Users and changes of a chunk in service order, written at acceptance.
-- digest: what a preview promised about them, if the batch is bound to one.
CREATE TABLE batch_chunks (
    customer_id BLOB NOT NULL,
    batch_id BLOB NOT NULL,
    first_position INTEGER NOT NULL,
    turns BLOB NOT NULL,
    digest BLOB,
    CONSTRAINT batch_chunks_pkey PRIMARY KEY (customer_id, batch_id, first_position),
    CONSTRAINT batch_chunks_batch_id_fkey FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, batch_id)
) STRICT
