-- Commits of a batch.
CREATE INDEX commits_batch_idx ON commits (customer_id, batch_id, last_seq) WHERE batch_id IS NOT NULL
