-- What we know of each network, moved only together with the effects of a block.
CREATE TABLE chain_cursors (
    network text PRIMARY KEY CHECK (network ~ '^[a-z0-9-]{1,40}$'),
    -- the last block whose effects are applied
    head_number bigint NOT NULL CHECK (head_number >= 0),
    head_block_id text NOT NULL,
    head_time timestamptz NOT NULL,
    -- the last applied block that can no longer be reverted
    solid_number bigint NOT NULL CHECK (solid_number >= 0),
    solid_block_id text NOT NULL,
    solid_time timestamptz NOT NULL,
    -- the nodes' newest block as last heard; far above the head while we catch up
    tip_number bigint NOT NULL DEFAULT 0,
    -- where scanning began: older blocks were never read
    first_number bigint NOT NULL,
    -- the network's energy market, read with wallet syncs: energy = sun/10^6 * limit / weight
    total_energy_limit bigint NOT NULL DEFAULT 0,
    total_energy_weight bigint NOT NULL DEFAULT 0,
    -- saves two workers from fetching the same blocks; nothing depends on it
    lease_holder text,
    lease_until timestamptz,
    -- why scanning stopped, until an operator clears it
    halted_reason text CHECK (length(halted_reason) <= 1000),
    halted_at timestamptz,
    -- by the database's clock, which all workers share
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chain_cursors_solid_behind CHECK (solid_number <= head_number),
    CONSTRAINT chain_cursors_halted CHECK ((halted_reason IS NULL) = (halted_at IS NULL))
);

-- Recent applied blocks: for following forks back and for reference blocks.
CREATE TABLE blocks (
    network text NOT NULL REFERENCES chain_cursors (network),
    number bigint NOT NULL,
    block_id text NOT NULL CHECK (block_id ~ '^[0-9a-f]{64}$'),
    parent_id text NOT NULL CHECK (parent_id ~ '^[0-9a-f]{64}$'),
    block_time timestamptz NOT NULL,
    transaction_count integer NOT NULL,
    PRIMARY KEY (network, number)
);

-- One signed transaction each, stored before its first byte leaves.
CREATE TABLE chain_transactions (
    id uuid PRIMARY KEY,
    network text NOT NULL,
    txid text NOT NULL CHECK (txid ~ '^[0-9a-f]{64}$'),
    intent_kind text NOT NULL CHECK (intent_kind IN ('delegate', 'reclaim')),
    -- the delegation it makes or undoes
    intent_id uuid NOT NULL,
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    -- the whole signed transaction, protobuf
    raw bytea NOT NULL CHECK (octet_length(raw) BETWEEN 100 AND 65536),
    timestamp_ms bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('signed', 'sent', 'included', 'final', 'dead')),
    outcome text CHECK (outcome IN ('ok', 'failed')),
    block_number bigint,
    block_id text,
    block_time timestamptz,
    fee_sun bigint,
    energy_used bigint,
    bandwidth_used bigint,
    sends integer NOT NULL DEFAULT 0 CHECK (sends >= 0),
    last_sent_at timestamptz,
    last_code text CHECK (length(last_code) <= 100),
    last_message text CHECK (length(last_message) <= 1000),
    -- why it can never land: 'expired' or 'refused_on_first_send'
    death_cause text CHECK (death_cause IN ('expired', 'refused_on_first_send')),
    -- when it is to be sent again or looked at
    next_check_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (network, txid),
    UNIQUE (wallet_id, timestamp_ms),
    CONSTRAINT chain_transactions_included CHECK (
        (state IN ('included', 'final')) =
        (outcome IS NOT NULL AND block_number IS NOT NULL AND block_id IS NOT NULL AND block_time IS NOT NULL)),
    CONSTRAINT chain_transactions_dead CHECK ((state = 'dead') = (death_cause IS NOT NULL))
);
-- One intent, at most one transaction that can still land or has landed well.
CREATE UNIQUE INDEX chain_transactions_one_live ON chain_transactions (intent_kind, intent_id)
    WHERE NOT (state = 'dead' OR (state = 'final' AND outcome = 'failed'));
-- Serves resending and burying.
CREATE INDEX chain_transactions_to_check ON chain_transactions (network, next_check_at) WHERE state IN ('signed', 'sent');
-- Serves finality and forks.
CREATE INDEX chain_transactions_included_at ON chain_transactions (network, block_number) WHERE state = 'included';

-- What was signed is never rewritten, and a state moves only along its arrows.
CREATE FUNCTION chain_transactions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.network, NEW.txid, NEW.intent_kind, NEW.intent_id, NEW.wallet_id, NEW.raw, NEW.timestamp_ms, NEW.expires_at)
        IS DISTINCT FROM
       (OLD.network, OLD.txid, OLD.intent_kind, OLD.intent_id, OLD.wallet_id, OLD.raw, OLD.timestamp_ms, OLD.expires_at)
    THEN
        RAISE EXCEPTION 'a signed transaction is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'signed>sent', 'signed>included', 'signed>dead', 'sent>included', 'sent>dead',
        'included>final', 'included>sent'))
    THEN
        RAISE EXCEPTION 'chain transaction: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER chain_transactions_guard BEFORE UPDATE ON chain_transactions
    FOR EACH ROW EXECUTE FUNCTION chain_transactions_guard();
CREATE TRIGGER chain_transactions_kept BEFORE DELETE ON chain_transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What the chain said of a receiver: cached, since few receivers make many orders.
CREATE TABLE receiver_checks (
    network text NOT NULL,
    address text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('ok', 'not_activated', 'contract')),
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (network, address)
);
