-- Serves the same comparison.
CREATE INDEX CONCURRENTLY sweeps_by_wallet ON sweeps (wallet_id) WHERE state = 'completed';
