ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_reason_check;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_reason_check CHECK (reason IN (
    'order_hold', 'order_settle', 'order_refund', 'order_cancel', 'operator_adjustment'));
