ALTER TABLE chain_transactions DROP CONSTRAINT chain_transactions_intent_kind_check;
ALTER TABLE chain_transactions ADD CONSTRAINT chain_transactions_intent_kind_check
    CHECK (intent_kind IN ('delegate', 'reclaim'));
ALTER TABLE supplier_wallets DROP COLUMN usdt_micro;
ALTER TABLE supplier_wallets DROP COLUMN purpose;
