-- Serves the list of rentals narrowed to who sent the coin.
CREATE INDEX CONCURRENTLY rentals_by_sender ON rentals (sender, transfer_id DESC);
