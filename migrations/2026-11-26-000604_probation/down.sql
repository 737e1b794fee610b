ALTER TABLE supplier_wallets
    DROP COLUMN first_failed_at,
    DROP COLUMN probation_at,
    DROP COLUMN probations;
