-- The two legs of an exchange: USDT from the user to the house, TRX from the house to the user. The event names exchange and
-- leg, and is the primary key: neither leg is posted twice.
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_exchange CHECK (CASE
    WHEN reason = 'exchange' THEN
        (event ~ '^exchange:[0-9a-f-]{36}:usdt$' AND debit_account ~ '^user:[0-9-]+:USDT$'
            AND credit_account = 'house:exchange:USDT')
        OR (event ~ '^exchange:[0-9a-f-]{36}:trx$' AND debit_account = 'house:exchange:TRX'
            AND credit_account ~ '^user:[0-9-]+:TRX$')
    ELSE event NOT LIKE 'exchange:%'
    END) NOT VALID;
ALTER TABLE ledger_transfers VALIDATE CONSTRAINT ledger_transfers_exchange;
