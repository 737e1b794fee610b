ALTER TABLE incoming_transfers DROP CONSTRAINT incoming_transfers_by_contract;
DROP TRIGGER incoming_transfers_swept ON incoming_transfers;
DROP FUNCTION incoming_transfers_swept;
ALTER TABLE sweeps DROP COLUMN left_minor;
