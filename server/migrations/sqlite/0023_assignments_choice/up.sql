-- Who holds a product with a choice of plans of its own, to count the plans that are on; most
-- assignments have none and are not in it.
CREATE INDEX assignments_choice_idx ON assignments (customer_id, user_id, product_id, choice_id) WHERE choice_id <> 0
