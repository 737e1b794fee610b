-- A wallet lends its energy, or it pays out; no wallet does both. The index by room still serves the choice for an order:
-- the few treasury wallets in it are passed.
ALTER TABLE supplier_wallets ADD COLUMN purpose text NOT NULL DEFAULT 'supply'
    CONSTRAINT supplier_wallets_purpose CHECK (purpose IN ('supply', 'treasury'));
-- What the chain said at the last sync, like balance_sun; read for treasury wallets alone.
ALTER TABLE supplier_wallets ADD COLUMN usdt_micro bigint NOT NULL DEFAULT 0
    CONSTRAINT supplier_wallets_usdt CHECK (usdt_micro >= 0);

-- What a transaction is for; intent_id is the delegation, the payout or the sweep.
ALTER TABLE chain_transactions DROP CONSTRAINT chain_transactions_intent_kind_check;
ALTER TABLE chain_transactions ADD CONSTRAINT chain_transactions_intent_kind_check
    CHECK (intent_kind IN ('delegate', 'reclaim', 'payout', 'sweep'));
