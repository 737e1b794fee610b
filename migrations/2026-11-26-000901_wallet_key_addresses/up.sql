-- The key of a wallet may be another account's: one that an active permission of the wallet's account names. Keys at rest are
-- bound to the wallet's id, to its address, and to the key's own address where that is another. The number of keys that a
-- wallet had tells every process when a key that it holds opened was replaced.
ALTER TABLE supplier_wallets
    -- null: the key is that of the wallet's address
    ADD COLUMN key_address text CHECK (key_address ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    ADD COLUMN key_generation integer NOT NULL DEFAULT 1 CHECK (key_generation > 0),
    -- who owns an account signs with its own key
    ADD CONSTRAINT supplier_wallets_key_of_another
        CHECK (key_address IS NULL OR (permission_id >= 2 AND key_address <> address));
