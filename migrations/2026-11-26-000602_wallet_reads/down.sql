DROP TABLE wallet_baselines;
ALTER TABLE supplier_wallets DROP COLUMN unfreezing;
