DROP INDEX CONCURRENTLY sweeps_by_wallet;
