-- Serves the lists and the export of payouts narrowed to a time.
CREATE INDEX CONCURRENTLY payouts_in_time ON payouts USING brin (created_at);
