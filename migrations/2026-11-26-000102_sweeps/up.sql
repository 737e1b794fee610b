-- What a transaction is for; intent_id is the delegation, the payout or the sweep. 'activate': coin for an address that the
-- chain does not know yet, so that it can be lent energy.
ALTER TABLE chain_transactions DROP CONSTRAINT chain_transactions_intent_kind_check;
ALTER TABLE chain_transactions ADD CONSTRAINT chain_transactions_intent_kind_check
    CHECK (intent_kind IN ('delegate', 'reclaim', 'payout', 'sweep', 'activate'));

-- What customers paid to an address of theirs, collected to a treasury wallet. The money is the users' already: a sweep moves
-- it on chain and not in the ledger.
CREATE TABLE sweeps (
    id uuid PRIMARY KEY,
    network text NOT NULL,
    asset text NOT NULL CHECK (asset IN ('TRX', 'USDT')),
    -- the wallet of the deposit address
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    state text NOT NULL CHECK (state IN ('planned', 'activating', 'renting', 'processing', 'sent', 'completed', 'cancelled')),
    -- what was signed last: how much, and to which treasury wallet; in minor units
    amount bigint CHECK (amount > 0),
    to_address text CHECK (to_address ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    -- every block up to this one was in the balance that was read for it
    read_block bigint,
    -- transactions signed that collect, the one on its way included
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- what a treasury wallet sent last so that the address exists, in sun
    activation_sun bigint CHECK (activation_sun > 0),
    -- the order of ours whose energy it waits for, or uses
    order_id uuid REFERENCES orders (id),
    -- orders of energy in a row that brought none
    energy_failures integer NOT NULL DEFAULT 0 CHECK (energy_failures >= 0),
    -- why it is not collected (yet): 'bandwidth_short', 'energy_not_delivered', 'below_threshold' …
    reason_code text CHECK (length(reason_code) <= 100),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT sweeps_ended CHECK ((state IN ('completed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT sweeps_signed CHECK (state NOT IN ('processing', 'sent', 'completed')
        OR (amount IS NOT NULL AND to_address IS NOT NULL AND read_block IS NOT NULL)),
    CONSTRAINT sweeps_activating CHECK (state <> 'activating' OR activation_sun IS NOT NULL),
    CONSTRAINT sweeps_renting CHECK (state <> 'renting' OR order_id IS NOT NULL)
);
-- One at a time for each address and asset. Serves the search for what is open, too.
CREATE UNIQUE INDEX sweeps_one_open ON sweeps (wallet_id, asset)
    WHERE state IN ('planned', 'activating', 'renting', 'processing', 'sent');
-- Serves the figures of open sweeps, the search for lost jobs and for what is stuck.
CREATE INDEX sweeps_open ON sweeps (state, created_at)
    WHERE state IN ('planned', 'activating', 'renting', 'processing', 'sent');

-- A sweep moves only along its arrows; one that has ended never moves again. From `planned` to `completed` it goes when a
-- transaction that was held for dead is adopted.
CREATE FUNCTION sweeps_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'planned' THEN
            RAISE EXCEPTION 'a sweep does not begin as %', NEW.state USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.network, NEW.asset, NEW.wallet_id, NEW.created_at) IS DISTINCT FROM
       (OLD.network, OLD.asset, OLD.wallet_id, OLD.created_at) THEN
        RAISE EXCEPTION 'what is to be collected is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'planned>activating', 'planned>renting', 'planned>processing', 'planned>completed', 'planned>cancelled',
        'activating>planned', 'renting>planned', 'renting>processing',
        'processing>planned', 'processing>sent', 'sent>processing', 'sent>completed'))
    THEN
        RAISE EXCEPTION 'sweep: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    -- what was signed is decided when it is signed, or adopted
    IF NOT (OLD.state IN ('planned', 'renting') AND NEW.state IN ('processing', 'completed'))
        AND (NEW.amount, NEW.to_address, NEW.read_block) IS DISTINCT FROM (OLD.amount, OLD.to_address, OLD.read_block) THEN
        RAISE EXCEPTION 'what was signed of a sweep is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sweeps_guard BEFORE INSERT OR UPDATE ON sweeps FOR EACH ROW EXECUTE FUNCTION sweeps_guard();
CREATE TRIGGER sweeps_kept BEFORE DELETE ON sweeps FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The timeline: what happened to a sweep, when and why.
CREATE TABLE sweep_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sweep_id uuid NOT NULL REFERENCES sweeps (id),
    at timestamptz NOT NULL,
    event text NOT NULL CHECK (length(event) <= 100),
    state text NOT NULL,
    -- 'operator:<name>', 'worker', 'chain'
    actor text NOT NULL CHECK (length(actor) <= 200),
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX sweep_events_by_sweep ON sweep_events (sweep_id, id);
CREATE TRIGGER sweep_events_append_only BEFORE UPDATE OR DELETE ON sweep_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A sweep is given up for a reason.
ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_reason;
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_reason CHECK (
    action NOT IN ('jobs.drop', 'findings.resolve', 'payouts.approve', 'payouts.reject', 'sweeps.cancel')
    OR reason IS NOT NULL);

GRANT SELECT ON sweeps, sweep_events TO switchyard_api, switchyard_worker;
GRANT INSERT ON sweeps, sweep_events TO switchyard_worker;
GRANT UPDATE (state, amount, to_address, read_block, attempts, activation_sun, order_id, energy_failures, reason_code,
    updated_at, ended_at) ON sweeps TO switchyard_worker;
