-- Distributed by customer_id. Results of a chunk as they are sent, in service order.
-- Said once for a chunk, in the first of its rows: which of the changes are its own; dispositions, a byte
-- for each user, 1 applied, 2 unchanged, 3 failed, 4 skipped; failed_user_ids, 16 bytes for each who has
-- failed.
CREATE TABLE batch_results (
    customer_id BLOB NOT NULL,
    batch_id BLOB NOT NULL,
    first_position INTEGER NOT NULL,
    result_count INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    change_count INTEGER NOT NULL,
    dispositions BLOB NOT NULL,
    results BLOB NOT NULL,
    failed_user_ids BLOB NOT NULL,
    CONSTRAINT batch_results_pkey PRIMARY KEY (customer_id, batch_id, first_position),
    CONSTRAINT batch_results_batch_id_fkey FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, batch_id)
) STRICT
