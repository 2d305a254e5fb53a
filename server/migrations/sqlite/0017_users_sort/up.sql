-- Users by display name. SQLite reads the row for a column that is not in the index, even for one
-- that the condition tells.
CREATE INDEX users_sort_idx ON users (customer_id, sort_key, user_id, deleted_at) WHERE deleted_at IS NULL
