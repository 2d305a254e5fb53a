-- Distributed by customer_id. Users and changes of a chunk in service order, written at acceptance.
-- digest: what a preview promised about them, if the batch is bound to one.
CREATE TABLE batch_chunks (
    customer_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    first_position int8 NOT NULL,
    turns bytea NOT NULL,
    digest bytea,
    CONSTRAINT batch_chunks_pkey PRIMARY KEY (customer_id, batch_id, first_position),
    CONSTRAINT batch_chunks_batch_id_fkey FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, batch_id)
)
