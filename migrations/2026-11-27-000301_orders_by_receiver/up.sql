-- Serves the list and the export of orders narrowed to a receiver.
CREATE INDEX CONCURRENTLY orders_by_receiver ON orders (receiver, id DESC);
