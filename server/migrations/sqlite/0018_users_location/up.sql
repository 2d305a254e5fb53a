-- Users of a country, when they are few.
CREATE INDEX users_location_idx ON users (customer_id, usage_location, user_id, deleted_at) WHERE deleted_at IS NULL
