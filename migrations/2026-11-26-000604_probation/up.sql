-- Failures count within a window, and who is isolated for them is tried again by itself.
ALTER TABLE supplier_wallets
    ADD COLUMN first_failed_at timestamptz,
    -- null while it is isolated: an operator has to release it
    ADD COLUMN probation_at timestamptz,
    ADD COLUMN probations integer NOT NULL DEFAULT 0 CHECK (probations >= 0),
    ADD CONSTRAINT supplier_wallets_probation CHECK (probation_at IS NULL OR isolated_at IS NOT NULL);
GRANT UPDATE (first_failed_at, probation_at, probations) ON supplier_wallets TO switchyard_api;
