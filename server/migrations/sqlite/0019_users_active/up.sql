-- Inactive users, or active ones, when they are few.
CREATE INDEX users_active_idx ON users (customer_id, active, user_id, deleted_at) WHERE deleted_at IS NULL
