ALTER TABLE chain_transactions DROP COLUMN refused;
