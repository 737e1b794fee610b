-- Serves the list and the export of transfers narrowed to a time.
CREATE INDEX CONCURRENTLY incoming_transfers_in_time ON incoming_transfers USING brin (block_time);
