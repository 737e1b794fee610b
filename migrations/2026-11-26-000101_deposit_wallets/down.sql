DELETE FROM supplier_wallets WHERE purpose = 'deposit';
ALTER TABLE supplier_wallets DROP COLUMN deposit_address_id;
ALTER TABLE supplier_wallets DROP CONSTRAINT supplier_wallets_purpose;
ALTER TABLE supplier_wallets ADD CONSTRAINT supplier_wallets_purpose CHECK (purpose IN ('supply', 'treasury'));
DROP TABLE deposit_account_keys;
