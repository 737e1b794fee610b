-- Coin that a contract sent on has no log either: -2 is the first call of its transaction, -3 the second.
ALTER TABLE incoming_transfers DROP CONSTRAINT incoming_transfers_log_index_check;
-- 'by_contract': such coin. Not every node tells of it, so an operator decides.
ALTER TABLE incoming_transfers DROP CONSTRAINT incoming_transfers_kind_check;
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_kind_check
    CHECK (kind IN ('exact', 'partial', 'over', 'late', 'duplicate', 'plain', 'wrong_token', 'unknown_address',
        'dust', 'blocked_sender', 'retired_address', 'unmatched', 'too_large', 'internal', 'rental', 'by_contract')) NOT VALID;
ALTER TABLE incoming_transfers VALIDATE CONSTRAINT incoming_transfers_kind_check;
