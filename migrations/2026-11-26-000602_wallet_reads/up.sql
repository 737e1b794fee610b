-- Stake that was given up, as the chain said at the last read: [{"resource": "energy", "amount_sun": 1, "ready_at": "…"}]
ALTER TABLE supplier_wallets
    ADD COLUMN unfreezing jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(unfreezing) = 'array');

-- What a supply wallet had when nothing was missing. Read and written under the wallet's lock.
CREATE TABLE wallet_baselines (
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    network text NOT NULL,
    -- liquid, staked, and on its way back from stake
    coin_sun bigint NOT NULL,
    -- stake, lent or not
    energy_sun bigint NOT NULL,
    bandwidth_sun bigint NOT NULL,
    -- every block up to this one is certainly in it
    block bigint NOT NULL,
    -- since when reads show less than can be explained
    short_since timestamptz,
    PRIMARY KEY (wallet_id, network)
);
GRANT SELECT ON wallet_baselines TO switchyard_api, switchyard_worker;
GRANT INSERT, UPDATE ON wallet_baselines TO switchyard_worker;
