-- Transfers about a payout, as those about an order.
ALTER TABLE ledger_transfers ADD COLUMN payout_id uuid;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_payout
    CHECK ((reason LIKE 'payout_%') = (payout_id IS NOT NULL)) NOT VALID;
ALTER TABLE ledger_transfers VALIDATE CONSTRAINT ledger_transfers_payout;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_payout_fk FOREIGN KEY (payout_id) REFERENCES payouts (id)
    NOT VALID;
ALTER TABLE ledger_transfers VALIDATE CONSTRAINT ledger_transfers_payout_fk;
-- A payout is set aside once and ends once: gone, or given back, never both.
CREATE UNIQUE INDEX ledger_transfers_one_payout_hold ON ledger_transfers (payout_id) WHERE reason = 'payout_hold';
CREATE UNIQUE INDEX ledger_transfers_one_payout_end ON ledger_transfers (payout_id)
    WHERE reason IN ('payout_settle', 'payout_void');
