DROP INDEX ledger_transfers_one_payout_end;
DROP INDEX ledger_transfers_one_payout_hold;
ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_payout_fk;
ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_payout;
ALTER TABLE ledger_transfers DROP COLUMN payout_id;
