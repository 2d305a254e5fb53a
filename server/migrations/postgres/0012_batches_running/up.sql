-- What a server looks through for work that nobody does.
CREATE INDEX batches_running_idx ON batches (customer_id, batch_id) WHERE state = 1
