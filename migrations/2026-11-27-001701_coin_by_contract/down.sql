ALTER TABLE incoming_transfers DROP CONSTRAINT incoming_transfers_kind_check;
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_kind_check
    CHECK (kind IN ('exact', 'partial', 'over', 'late', 'duplicate', 'plain', 'wrong_token', 'unknown_address',
        'dust', 'blocked_sender', 'retired_address', 'unmatched', 'too_large', 'internal', 'rental'));
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_log_index_check CHECK (log_index >= -1);
