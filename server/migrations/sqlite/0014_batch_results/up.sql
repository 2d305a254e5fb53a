-- Distributed by customer_id. Results of a chunk as they are sent, in service order.
-- failed_user_ids: 16 bytes for each user among them who has failed.
CREATE TABLE batch_results (
    customer_id BLOB NOT NULL,
    batch_id BLOB NOT NULL,
    first_position INTEGER NOT NULL,
    result_count INTEGER NOT NULL,
    results BLOB NOT NULL,
    failed_user_ids BLOB NOT NULL,
    CONSTRAINT batch_results_pkey PRIMARY KEY (customer_id, batch_id, first_position),
    CONSTRAINT batch_results_batch_id_fkey FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, batch_id)
) STRICT
