-- Users by display name.
CREATE INDEX users_sort_idx ON users (customer_id, sort_key, user_id) WHERE deleted_at IS NULL
