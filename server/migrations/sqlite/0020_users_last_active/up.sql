-- Users who were not active for long, when they are few.
CREATE INDEX users_last_active_idx ON users (customer_id, last_active_at, user_id, deleted_at) WHERE deleted_at IS NULL
