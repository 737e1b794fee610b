-- Money of a user that leaves to an address, once.
CREATE TABLE payouts (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    network text NOT NULL,
    asset text NOT NULL CHECK (asset IN ('TRX', 'USDT')),
    -- minor units
    amount bigint NOT NULL CHECK (amount > 0),
    to_address text NOT NULL CHECK (to_address ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    state text NOT NULL CHECK (state IN ('requested', 'approved', 'processing', 'sent', 'completed', 'rejected', 'failed')),
    -- whether somebody else than who asked for it has to agree
    needs_approval boolean NOT NULL,
    -- 'api_key:<id>'
    requested_by text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 200),
    -- 'api_key:<id>', 'operator:<name>'
    approved_by text CHECK (length(approved_by) BETWEEN 1 AND 200),
    -- since when it may be paid; where nobody had to agree, since it was asked for
    approved_at timestamptz,
    -- transactions signed, the one on its way included
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- why it is not paid (yet): 'no_treasury_fits', 'attempts_exhausted' …
    reason_code text CHECK (length(reason_code) <= 100),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- when it came to its end
    ended_at timestamptz,
    CONSTRAINT payouts_four_eyes CHECK (approved_by IS NULL OR approved_by <> requested_by),
    CONSTRAINT payouts_approved CHECK (state IN ('requested', 'rejected')
        OR (approved_at IS NOT NULL AND (approved_by IS NOT NULL OR NOT needs_approval))),
    CONSTRAINT payouts_ended CHECK ((state IN ('completed', 'rejected', 'failed')) = (ended_at IS NOT NULL))
);
-- Serves a user's list, newest first.
CREATE INDEX payouts_by_user ON payouts (user_id, id DESC);
-- Serves the limits: what was asked for lately, by everybody and by one user.
CREATE INDEX payouts_lately ON payouts (asset, created_at);
-- Serves the figures of open payouts, the search for lost jobs and the list of what waits for an operator.
CREATE INDEX payouts_open ON payouts (state, created_at) WHERE state IN ('requested', 'approved', 'processing', 'sent');

-- A payout moves only along its arrows; one that has ended never moves again. From `approved` to `completed` it goes when
-- a transaction that was held for dead is adopted.
CREATE FUNCTION payouts_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> (CASE WHEN NEW.needs_approval THEN 'requested' ELSE 'approved' END) THEN
            RAISE EXCEPTION 'a payout does not begin as %', NEW.state USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.user_id, NEW.network, NEW.asset, NEW.amount, NEW.to_address, NEW.needs_approval, NEW.requested_by)
        IS DISTINCT FROM
       (OLD.user_id, OLD.network, OLD.asset, OLD.amount, OLD.to_address, OLD.needs_approval, OLD.requested_by)
        OR (OLD.approved_by IS NOT NULL AND NEW.approved_by IS DISTINCT FROM OLD.approved_by)
    THEN
        RAISE EXCEPTION 'what is to be paid, and who said so, is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'requested>approved', 'requested>rejected', 'approved>rejected', 'approved>failed', 'approved>processing',
        'processing>approved', 'processing>sent', 'processing>failed', 'sent>processing', 'sent>completed',
        'approved>completed'))
    THEN
        RAISE EXCEPTION 'payout: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payouts_guard BEFORE INSERT OR UPDATE ON payouts FOR EACH ROW EXECUTE FUNCTION payouts_guard();
CREATE TRIGGER payouts_kept BEFORE DELETE ON payouts FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The timeline: what happened to a payout, when and why.
CREATE TABLE payout_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payout_id uuid NOT NULL REFERENCES payouts (id),
    at timestamptz NOT NULL,
    event text NOT NULL CHECK (length(event) <= 100),
    state text NOT NULL,
    -- 'api_key:<id>', 'operator:<name>', 'worker', 'chain'
    actor text NOT NULL CHECK (length(actor) <= 200),
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX payout_events_by_payout ON payout_events (payout_id, id);
CREATE TRIGGER payout_events_append_only BEFORE UPDATE OR DELETE ON payout_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Where a user may be paid to. A user with none may be paid anywhere, unless the settings ask for the list.
CREATE TABLE payout_addresses (
    user_id bigint NOT NULL REFERENCES users (id),
    address text NOT NULL CHECK (address ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    label text CHECK (length(label) <= 100),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, address)
);

-- Serves the choice of a treasury wallet: what left it that its last read does not show.
CREATE INDEX chain_transactions_payouts ON chain_transactions (wallet_id, block_number) WHERE intent_kind = 'payout';

-- Money is approved and refused for a reason.
ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_reason;
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_reason CHECK (
    action NOT IN ('jobs.drop', 'findings.resolve', 'payouts.approve', 'payouts.reject') OR reason IS NOT NULL);

GRANT SELECT ON payouts, payout_events, payout_addresses TO switchyard_api, switchyard_worker;
GRANT INSERT ON payouts TO switchyard_api;
GRANT INSERT ON payout_events TO switchyard_api, switchyard_worker;
GRANT UPDATE (state, approved_by, approved_at, reason_code, updated_at, ended_at) ON payouts TO switchyard_api;
GRANT UPDATE (state, approved_by, approved_at, attempts, reason_code, updated_at, ended_at) ON payouts
    TO switchyard_worker;
GRANT INSERT, DELETE ON payout_addresses TO switchyard_api;
GRANT UPDATE (label) ON payout_addresses TO switchyard_api;
