-- Serves an order's page, the audit, and the search for what a dead transaction may have done: all of an intent's
-- transactions, the dead ones too.
CREATE INDEX chain_transactions_by_intent ON chain_transactions (intent_id);
