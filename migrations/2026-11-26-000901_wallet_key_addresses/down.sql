ALTER TABLE supplier_wallets
    DROP CONSTRAINT supplier_wallets_key_of_another,
    DROP COLUMN key_generation,
    DROP COLUMN key_address;
