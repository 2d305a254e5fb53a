-- Changes of a thing.
CREATE INDEX changes_thing_idx ON changes (customer_id, thing_id, seq)
