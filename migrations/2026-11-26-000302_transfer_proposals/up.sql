-- What one operator wants done with a transfer of much money, until another agrees. What came of it is on the transfer.
CREATE TABLE transfer_proposals (
    id uuid PRIMARY KEY,
    transfer_id uuid NOT NULL REFERENCES incoming_transfers (id),
    ruling text NOT NULL CHECK (ruling IN ('credit', 'attach', 'refunded', 'reverse')),
    -- for whom or for what, where the ruling names it
    user_id bigint,
    deposit_id uuid REFERENCES deposits (id),
    -- 'api_key:<id>', 'operator:<name>'
    proposed_by text NOT NULL CHECK (length(proposed_by) BETWEEN 1 AND 200),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    proposed_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'agreed', 'replaced')),
    agreed_by text CHECK (length(agreed_by) BETWEEN 1 AND 200),
    ended_at timestamptz,
    CONSTRAINT transfer_proposals_four_eyes CHECK (agreed_by <> proposed_by),
    CONSTRAINT transfer_proposals_agreed CHECK ((state = 'agreed') = (agreed_by IS NOT NULL)),
    CONSTRAINT transfer_proposals_ended CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX transfer_proposals_one_open ON transfer_proposals (transfer_id) WHERE state = 'open';

CREATE FUNCTION transfer_proposals_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open' OR (NEW.transfer_id, NEW.ruling, NEW.user_id, NEW.deposit_id, NEW.proposed_by, NEW.reason,
        NEW.proposed_at) IS DISTINCT FROM (OLD.transfer_id, OLD.ruling, OLD.user_id, OLD.deposit_id, OLD.proposed_by,
        OLD.reason, OLD.proposed_at) THEN
        RAISE EXCEPTION 'what was proposed is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transfer_proposals_guard BEFORE UPDATE ON transfer_proposals
    FOR EACH ROW EXECUTE FUNCTION transfer_proposals_guard();
CREATE TRIGGER transfer_proposals_kept BEFORE DELETE ON transfer_proposals
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON transfer_proposals TO switchyard_api, switchyard_worker;
GRANT UPDATE (state, agreed_by, ended_at) ON transfer_proposals TO switchyard_api, switchyard_worker;
-- What an operator gives to a deposit counts for it, whether he works over the API or by command.
GRANT UPDATE (state, received, paid_at, updated_at) ON deposits TO switchyard_api;
