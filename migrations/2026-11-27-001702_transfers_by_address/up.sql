-- Serves the comparison of what was collected from an address with what came to it.
CREATE INDEX CONCURRENTLY incoming_transfers_by_address ON incoming_transfers (address_id) WHERE address_id IS NOT NULL;
