-- Users of a country, when they are few.
CREATE INDEX users_location_idx ON users (customer_id, usage_location, user_id) WHERE deleted_at IS NULL
