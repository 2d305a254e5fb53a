-- Changes of a kind, when they are few. Those of assignments (kind 1) are most, and not in it.
CREATE INDEX changes_kind_idx ON changes (customer_id, kind, seq) WHERE kind <> 1
