-- What stayed at the address for certain, in minor units: it lies there still, whatever the settings say today.
ALTER TABLE sweeps ADD COLUMN left_minor bigint NOT NULL DEFAULT 0 CHECK (left_minor >= 0);
GRANT UPDATE (left_minor) ON sweeps TO switchyard_worker;

-- What an operator credits, or blocks that are read again bring, may have been collected already, with all that lay there.
CREATE FUNCTION incoming_transfers_swept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.swept_by := (SELECT s.id FROM sweeps s JOIN supplier_wallets w ON w.id = s.wallet_id
        WHERE w.deposit_address_id = NEW.address_id AND s.asset = NEW.asset AND s.network = NEW.network
            AND s.state = 'completed' AND s.read_block >= NEW.block_number
        ORDER BY s.read_block LIMIT 1);
    RETURN NEW;
END $$;
CREATE TRIGGER incoming_transfers_swept BEFORE UPDATE ON incoming_transfers FOR EACH ROW
    WHEN (NEW.state = 'credited' AND OLD.state <> 'credited' AND NEW.swept_by IS NULL)
    EXECUTE FUNCTION incoming_transfers_swept();

-- What not every node tells of is credited by nobody but an operator, also while workers of before still run.
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_by_contract
    CHECK (log_index >= -1 OR state <> 'credited' OR decided_by <> 'worker') NOT VALID;
ALTER TABLE incoming_transfers VALIDATE CONSTRAINT incoming_transfers_by_contract;
