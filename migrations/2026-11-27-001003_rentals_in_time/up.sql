-- Serves the list of rentals narrowed to a time: rows lie nearly in that order.
CREATE INDEX CONCURRENTLY rentals_in_time ON rentals USING brin (created_at);
