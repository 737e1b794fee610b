-- Serves the question what a wallet's transactions cost since it was read.
CREATE INDEX CONCURRENTLY chain_transactions_by_wallet ON chain_transactions (wallet_id, block_number);
