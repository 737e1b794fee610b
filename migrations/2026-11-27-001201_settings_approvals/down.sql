ALTER TABLE approvals DROP CONSTRAINT approvals_kind_check;
ALTER TABLE approvals ADD CONSTRAINT approvals_kind_check
    CHECK (kind IN ('balances.adjust', 'wallets.replace_key', 'prices.publish')) NOT VALID;
