-- Serves the question whether an address is known as a customer's own.
CREATE INDEX CONCURRENTLY user_wallets_by_address ON user_wallets (address);
