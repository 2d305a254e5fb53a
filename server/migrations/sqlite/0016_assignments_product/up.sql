-- Who holds a product: for filters, for the holders in a selection, and for what an edition changed.
CREATE INDEX assignments_product_idx ON assignments (customer_id, product_id, user_id, choice_id)
