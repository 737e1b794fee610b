-- What a transaction is for; intent_id is the delegation, the payout, the sweep or the staking.
ALTER TABLE chain_transactions DROP CONSTRAINT chain_transactions_intent_kind_check;
ALTER TABLE chain_transactions ADD CONSTRAINT chain_transactions_intent_kind_check
    CHECK (intent_kind IN ('delegate', 'reclaim', 'payout', 'sweep', 'activate', 'stake')) NOT VALID;
ALTER TABLE chain_transactions VALIDATE CONSTRAINT chain_transactions_intent_kind_check;

-- Coin of a supplier's wallet that is staked, unstaked, taken back after its waiting time, or staked again instead. The coin is
-- the house's own: no money of a customer moves, and nothing of it is in the ledger.
CREATE TABLE stakings (
    id uuid PRIMARY KEY,
    network text NOT NULL,
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    -- 'withdraw' takes back all whose waiting time is over, 'cancel' stakes again all that still waits
    action text NOT NULL CHECK (action IN ('stake', 'unstake', 'withdraw', 'cancel')),
    resource text CHECK (resource IN ('energy', 'bandwidth')),
    -- nodes take no stake below 1 TRX
    amount_sun bigint CHECK (amount_sun >= 1000000),
    state text NOT NULL CHECK (state IN ('requested', 'processing', 'sent', 'done', 'failed', 'cancelled')),
    source text NOT NULL CHECK (source IN ('operator', 'policy')),
    -- 'operator:<name>', 'api_key:<id>', 'worker'
    requested_by text NOT NULL CHECK (length(requested_by) <= 200),
    -- why it is done, in words
    reason text NOT NULL CHECK (length(reason) <= 500),
    -- transactions signed, the one on its way included
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- what the read before the last signature said that a 'withdraw' or a 'cancel' moves, in sun
    moved_sun bigint CHECK (moved_sun > 0),
    -- the block that carries it
    block_number bigint,
    -- why it is not done (yet): 'balance_short', 'stake_lent', 'chain_not_current' …
    reason_code text CHECK (length(reason_code) <= 100),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT stakings_of_how_much CHECK ((action IN ('stake', 'unstake')) = (amount_sun IS NOT NULL)
        AND (action IN ('stake', 'unstake')) = (resource IS NOT NULL)),
    CONSTRAINT stakings_moved CHECK (moved_sun IS NULL OR action IN ('withdraw', 'cancel')),
    CONSTRAINT stakings_block CHECK ((state IN ('sent', 'done')) = (block_number IS NOT NULL)),
    CONSTRAINT stakings_ended CHECK ((state IN ('done', 'failed', 'cancelled')) = (ended_at IS NOT NULL))
);
-- One at a time for each wallet and action. Serves the search for what is open of a wallet, too.
CREATE UNIQUE INDEX stakings_one_open ON stakings (wallet_id, action) WHERE state IN ('requested', 'processing', 'sent');
-- Serves the figures of open stakings, the search for lost jobs and for what is stuck.
CREATE INDEX stakings_open ON stakings (state, created_at) WHERE state IN ('requested', 'processing', 'sent');
-- Serves the limits of a day: what of an action was asked for since, by all wallets and by one.
CREATE INDEX stakings_by_day ON stakings (network, action, created_at) INCLUDE (wallet_id, amount_sun);
-- Serves what a wallet's last read cannot surely show: stakings in blocks above the read's.
CREATE INDEX stakings_by_block ON stakings (wallet_id, block_number);

-- A staking moves only along its arrows; one that has ended never moves again. From `requested` to `done` it goes when a
-- transaction that was held for dead is adopted.
CREATE FUNCTION stakings_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' THEN
            RAISE EXCEPTION 'a staking does not begin as %', NEW.state USING ERRCODE = 'restrict_violation';
        END IF;
        -- what leaves a treasury is counted against its payouts, and a deposit address is swept
        IF NOT EXISTS (SELECT 1 FROM supplier_wallets WHERE id = NEW.wallet_id AND purpose = 'supply') THEN
            RAISE EXCEPTION 'only wallets that lend are staked' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.network, NEW.wallet_id, NEW.action, NEW.resource, NEW.amount_sun, NEW.source, NEW.requested_by, NEW.reason,
            NEW.created_at)
        IS DISTINCT FROM (OLD.network, OLD.wallet_id, OLD.action, OLD.resource, OLD.amount_sun, OLD.source,
            OLD.requested_by, OLD.reason, OLD.created_at) THEN
        RAISE EXCEPTION 'what is to be staked is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'requested>processing', 'requested>done', 'requested>failed', 'requested>cancelled',
        'processing>requested', 'processing>sent', 'processing>failed', 'sent>processing', 'sent>done'))
    THEN
        RAISE EXCEPTION 'staking: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stakings_guard BEFORE INSERT OR UPDATE ON stakings FOR EACH ROW EXECUTE FUNCTION stakings_guard();
CREATE TRIGGER stakings_kept BEFORE DELETE ON stakings FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The timeline: what happened to a staking, when and why.
CREATE TABLE staking_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staking_id uuid NOT NULL REFERENCES stakings (id),
    at timestamptz NOT NULL,
    event text NOT NULL CHECK (length(event) <= 100),
    state text NOT NULL,
    -- 'operator:<name>', 'api_key:<id>', 'worker', 'chain'
    actor text NOT NULL CHECK (length(actor) <= 200),
    detail jsonb NOT NULL DEFAULT '{}'
);
-- Serves the timeline of one staking.
CREATE INDEX staking_events_by_staking ON staking_events (staking_id, id);
CREATE TRIGGER staking_events_append_only BEFORE UPDATE OR DELETE ON staking_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What is staked by hand is staked for a reason, and so given up.
ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_reason;
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_reason CHECK (
    action NOT IN ('jobs.drop', 'findings.resolve', 'payouts.approve', 'payouts.reject', 'sweeps.cancel', 'rentals.return',
        'rentals.close', 'stakings.request', 'stakings.revoke') OR reason IS NOT NULL);

GRANT SELECT, INSERT ON stakings, staking_events TO switchyard_api, switchyard_worker;
GRANT UPDATE (state, attempts, moved_sun, block_number, reason_code, updated_at, ended_at) ON stakings TO switchyard_worker;
