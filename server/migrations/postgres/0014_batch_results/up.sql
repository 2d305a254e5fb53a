-- Distributed by customer_id. Results of a chunk as they are sent, in service order.
-- failed_user_ids: 16 bytes for each user among them who has failed.
CREATE TABLE batch_results (
    customer_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    first_position int8 NOT NULL,
    result_count int8 NOT NULL,
    results bytea NOT NULL,
    failed_user_ids bytea NOT NULL,
    CONSTRAINT batch_results_pkey PRIMARY KEY (customer_id, batch_id, first_position),
    CONSTRAINT batch_results_batch_id_fkey FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, batch_id)
)
