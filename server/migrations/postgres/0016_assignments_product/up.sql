-- Who holds a product: for filters, for the holders in a selection, and for what an edition changed.
-- The condition is always true, but only where a product is named: as long as the table is believed
-- to be small, a read of one user's holdings would else take this index and read the whole customer.
CREATE INDEX assignments_product_idx ON assignments (customer_id, product_id, user_id) WHERE product_id IS NOT NULL
