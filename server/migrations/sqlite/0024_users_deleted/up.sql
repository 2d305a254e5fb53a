-- Users deleted since a selection was frozen.
CREATE INDEX users_deleted_idx ON users (customer_id, deleted_at) WHERE deleted_at IS NOT NULL
