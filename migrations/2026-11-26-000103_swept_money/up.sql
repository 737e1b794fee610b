-- What the house pays for energy that a sweep needs goes to the house's own customer, and from there the way of every order.
ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_reason_check;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_reason_check CHECK (reason IN (
    'order_hold', 'order_settle', 'order_refund', 'order_cancel', 'operator_adjustment',
    'deposit_credit', 'deposit_reversal', 'payout_hold', 'payout_settle', 'payout_void', 'exchange', 'chain_fee',
    'sweep_energy')) NOT VALID;
ALTER TABLE ledger_transfers VALIDATE CONSTRAINT ledger_transfers_reason_check;

-- 'internal': from a wallet of ours, such as the coin that activates an address. It is nobody's deposit.
ALTER TABLE incoming_transfers DROP CONSTRAINT incoming_transfers_kind_check;
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_kind_check
    CHECK (kind IN ('exact', 'partial', 'over', 'late', 'duplicate', 'plain', 'wrong_token', 'unknown_address',
        'dust', 'blocked_sender', 'retired_address', 'unmatched', 'too_large', 'internal')) NOT VALID;
ALTER TABLE incoming_transfers VALIDATE CONSTRAINT incoming_transfers_kind_check;

-- The sweep that collected it, or found it collected already.
ALTER TABLE incoming_transfers ADD COLUMN swept_by uuid;
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_swept_by_fk FOREIGN KEY (swept_by) REFERENCES sweeps (id)
    NOT VALID;
ALTER TABLE incoming_transfers VALIDATE CONSTRAINT incoming_transfers_swept_by_fk;
-- Serves the search for addresses that are worth collecting: what they were credited and nobody has collected.
CREATE INDEX incoming_transfers_unswept ON incoming_transfers (network, asset, address_id) INCLUDE (credited, block_number)
    WHERE state = 'credited' AND swept_by IS NULL;
-- Serves the same search: addresses of which something waits for an operator are left alone.
CREATE INDEX incoming_transfers_held_at ON incoming_transfers (address_id) WHERE state = 'held';
