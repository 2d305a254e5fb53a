-- Batches whose results are there, the oldest first: what is pruned next, and what the journal is still
-- needed for.
CREATE INDEX batches_kept_idx ON batches (customer_id, created_at, batch_id) WHERE results < 3
