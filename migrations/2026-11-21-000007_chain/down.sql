DROP TABLE receiver_checks, chain_transactions, blocks, chain_cursors;
DROP FUNCTION chain_transactions_guard();
