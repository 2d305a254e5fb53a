-- Distributed by customer_id. Results of a chunk as they are sent, in service order.
-- Said once for a chunk, in the first of its rows: which of the changes are its own; dispositions, a byte
-- for each user, 1 applied, 2 unchanged, 3 failed, 4 skipped; failed_user_ids, 16 bytes for each who has
-- failed.
CREATE TABLE batch_results (
    customer_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    first_position int8 NOT NULL,
    result_count int8 NOT NULL,
    first_seq int8 NOT NULL,
    change_count int8 NOT NULL,
    dispositions bytea NOT NULL,
    results bytea NOT NULL,
    failed_user_ids bytea NOT NULL,
    CONSTRAINT batch_results_pkey PRIMARY KEY (customer_id, batch_id, first_position),
    CONSTRAINT batch_results_batch_id_fkey FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, batch_id)
)
