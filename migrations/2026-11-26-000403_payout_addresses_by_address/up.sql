-- Serves the question whether an address is known as a customer's own.
CREATE INDEX CONCURRENTLY payout_addresses_by_address ON payout_addresses (address);
