-- Changes of the settings may need a second person, too.
ALTER TABLE approvals DROP CONSTRAINT approvals_kind_check;
ALTER TABLE approvals ADD CONSTRAINT approvals_kind_check
    CHECK (kind IN ('balances.adjust', 'wallets.replace_key', 'prices.publish', 'settings.change')) NOT VALID;
ALTER TABLE approvals VALIDATE CONSTRAINT approvals_kind_check;
