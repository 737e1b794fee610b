-- Money that comes from chains, goes to them, and is exchanged. The reasons of orders are as before.
ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_reason_check;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_reason_check CHECK (reason IN (
    'order_hold', 'order_settle', 'order_refund', 'order_cancel', 'operator_adjustment',
    'deposit_credit', 'deposit_reversal', 'payout_hold', 'payout_settle', 'payout_void', 'exchange', 'chain_fee'));
