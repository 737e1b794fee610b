DROP INDEX incoming_transfers_held_at;
DROP INDEX incoming_transfers_unswept;
ALTER TABLE incoming_transfers DROP COLUMN swept_by;
ALTER TABLE incoming_transfers DROP CONSTRAINT incoming_transfers_kind_check;
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_kind_check
    CHECK (kind IN ('exact', 'partial', 'over', 'late', 'duplicate', 'plain', 'wrong_token', 'unknown_address',
        'dust', 'blocked_sender', 'retired_address', 'unmatched', 'too_large'));
ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_reason_check;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_reason_check CHECK (reason IN (
    'order_hold', 'order_settle', 'order_refund', 'order_cancel', 'operator_adjustment',
    'deposit_credit', 'deposit_reversal', 'payout_hold', 'payout_settle', 'payout_void', 'exchange', 'chain_fee'));
