-- Serves the list of rentals narrowed to whom the energy is for.
CREATE INDEX CONCURRENTLY rentals_by_receiver ON rentals (receiver, transfer_id DESC) WHERE receiver IS NOT NULL;
