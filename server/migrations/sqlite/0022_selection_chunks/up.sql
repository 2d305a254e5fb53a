-- Distributed by customer_id. Users of a frozen selection, 16 bytes each; sorted: by name as it was
-- when the selection was made, else in the order of the selection.
CREATE TABLE selection_chunks (
    customer_id BLOB NOT NULL,
    selection_id BLOB NOT NULL,
    sorted INTEGER NOT NULL,
    first_position INTEGER NOT NULL,
    user_ids BLOB NOT NULL,
    CONSTRAINT selection_chunks_pkey PRIMARY KEY (customer_id, selection_id, sorted, first_position),
    CONSTRAINT selection_chunks_selection_id_fkey FOREIGN KEY (customer_id, selection_id) REFERENCES selections (customer_id, selection_id)
) STRICT, WITHOUT ROWID
