-- Money that comes in on chains. Addresses, ids and networks are texts of whichever chain; amounts of transfers are as wide
-- as chains count them (256 bits).

-- Where customers pay.
CREATE TABLE deposit_addresses (
    id uuid PRIMARY KEY,
    network text NOT NULL,
    address text NOT NULL CHECK (length(address) BETWEEN 1 AND 100),
    -- 'user': one customer's own. 'shared': deposits are told apart by their amounts. 'rental': what comes buys energy
    kind text NOT NULL CHECK (kind IN ('user', 'shared', 'rental')),
    user_id bigint REFERENCES users (id),
    -- which account key it was derived from (fingerprint, 8 hex digits) and at which place; NULL for an address given by hand
    key_fingerprint text CHECK (key_fingerprint ~ '^[0-9a-f]{8}$'),
    derivation_index bigint CHECK (derivation_index BETWEEN 0 AND 2147483647),
    -- nothing is expected there any more: what comes waits for an operator
    retired_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT deposit_addresses_of_user CHECK ((kind = 'user') = (user_id IS NOT NULL)),
    CONSTRAINT deposit_addresses_derived CHECK ((key_fingerprint IS NULL) = (derivation_index IS NULL)),
    -- Also serves the question which of a block's receivers are ours: one look per receiver, however many there are.
    UNIQUE (network, address),
    UNIQUE (network, key_fingerprint, derivation_index)
);
-- A customer has one address at a time on a network.
CREATE UNIQUE INDEX deposit_addresses_one_per_user ON deposit_addresses (network, user_id) WHERE retired_at IS NULL;
-- Places of derived addresses. A place that is drawn and not used is a gap, which costs nothing.
CREATE SEQUENCE deposit_address_index AS bigint MINVALUE 0 MAXVALUE 2147483647;

-- Whose an address is never changes: what comes to it, however late, is his.
CREATE FUNCTION deposit_addresses_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.network, NEW.address, NEW.kind, NEW.user_id, NEW.key_fingerprint, NEW.derivation_index, NEW.created_at)
        IS DISTINCT FROM
       (OLD.network, OLD.address, OLD.kind, OLD.user_id, OLD.key_fingerprint, OLD.derivation_index, OLD.created_at) THEN
        RAISE EXCEPTION 'whose an address is is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deposit_addresses_guard BEFORE UPDATE ON deposit_addresses
    FOR EACH ROW EXECUTE FUNCTION deposit_addresses_guard();
CREATE TRIGGER deposit_addresses_kept BEFORE DELETE ON deposit_addresses
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What a customer announced, and what came of it.
CREATE TABLE deposits (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    network text NOT NULL,
    asset text NOT NULL CHECK (asset IN ('TRX', 'USDT')),
    way text NOT NULL CHECK (way IN ('address', 'amount')),
    address_id uuid NOT NULL REFERENCES deposit_addresses (id),
    -- exactly what is to be paid, in minor units; NULL: whatever comes
    amount bigint CHECK (amount > 0),
    -- a memo that names this deposit wherever several share an address
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z2-9]{10}$'),
    state text NOT NULL CHECK (state IN ('open', 'partial', 'paid', 'expired')),
    -- credited because of it, in minor units
    received bigint NOT NULL DEFAULT 0 CHECK (received >= 0),
    -- by the chain's clock
    expires_at timestamptz NOT NULL,
    -- until then nobody else is asked for this amount, so that what comes late is known
    amount_held_until timestamptz NOT NULL,
    amount_released_at timestamptz,
    paid_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT deposits_amount_named CHECK (way <> 'amount' OR amount IS NOT NULL),
    CONSTRAINT deposits_held_beyond_expiry CHECK (amount_held_until >= expires_at),
    CONSTRAINT deposits_paid_has_time CHECK ((state = 'paid') = (paid_at IS NOT NULL))
);
-- On a shared address an amount names one deposit. Serves the matching, too.
CREATE UNIQUE INDEX deposits_one_per_amount ON deposits (address_id, asset, amount)
    WHERE way = 'amount' AND amount_released_at IS NULL;
-- Serves a user's list, newest first.
CREATE INDEX deposits_by_user ON deposits (user_id, id DESC);
-- Serves the matching on a user's own address: the newest few.
CREATE INDEX deposits_by_address ON deposits (address_id, asset, id DESC) WHERE way = 'address';
-- Serves expiry, by the chain's clock.
CREATE INDEX deposits_expiring ON deposits (network, expires_at) WHERE state IN ('open', 'partial');
-- Serves the release of amounts.
CREATE INDEX deposits_releasing ON deposits (network, amount_held_until)
    WHERE way = 'amount' AND amount_released_at IS NULL;

CREATE FUNCTION deposits_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.user_id, NEW.network, NEW.asset, NEW.way, NEW.address_id, NEW.amount, NEW.code, NEW.expires_at,
        NEW.amount_held_until) IS DISTINCT FROM
       (OLD.user_id, OLD.network, OLD.asset, OLD.way, OLD.address_id, OLD.amount, OLD.code, OLD.expires_at,
        OLD.amount_held_until) THEN
        RAISE EXCEPTION 'what was announced is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    -- the last two are what came late
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'open>partial', 'open>paid', 'open>expired', 'partial>paid', 'partial>expired', 'expired>paid'))
    THEN
        RAISE EXCEPTION 'deposit: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deposits_guard BEFORE UPDATE ON deposits FOR EACH ROW EXECUTE FUNCTION deposits_guard();
CREATE TRIGGER deposits_kept BEFORE DELETE ON deposits FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One row per transfer on chain that concerns us, for good: the key is what the chain calls it.
CREATE TABLE incoming_transfers (
    id uuid PRIMARY KEY,
    network text NOT NULL,
    txid text NOT NULL CHECK (length(txid) BETWEEN 1 AND 128),
    -- the log's place in its transaction; -1 for the coin, which leaves no log
    log_index integer NOT NULL CHECK (log_index >= -1),
    -- the block that carries it (the last one that did, while it is reverted), and its place among that block's transfers
    block_number bigint NOT NULL,
    block_id text NOT NULL,
    block_time timestamptz NOT NULL,
    place integer NOT NULL CHECK (place >= 0),
    -- the token's contract; NULL for the coin
    token text CHECK (length(token) BETWEEN 1 AND 100),
    from_address text NOT NULL CHECK (length(from_address) BETWEEN 1 AND 100),
    to_address text NOT NULL CHECK (length(to_address) BETWEEN 1 AND 100),
    -- NULL: paid to nobody of ours, and looked for by somebody
    address_id uuid REFERENCES deposit_addresses (id),
    -- in the token's own smallest unit
    amount numeric(78, 0) NOT NULL CHECK (amount > 0),
    memo text CHECK (length(memo) BETWEEN 1 AND 200),
    state text NOT NULL CHECK (state IN ('seen', 'reverted', 'credited', 'held', 'ignored', 'refunded', 'reversed')),
    -- what it turned out to be, once it was final
    kind text CHECK (kind IN ('exact', 'partial', 'over', 'late', 'duplicate', 'plain', 'wrong_token', 'unknown_address',
        'dust', 'blocked_sender', 'retired_address', 'unmatched', 'too_large')),
    deposit_id uuid REFERENCES deposits (id),
    user_id bigint REFERENCES users (id),
    -- what was credited, in minor units of the asset
    asset text CHECK (asset IN ('TRX', 'USDT')),
    credited bigint CHECK (credited > 0),
    -- who decided: 'worker', 'operator:<name>', 'api_key:<id>'; and what a person said of it
    decided_by text CHECK (length(decided_by) BETWEEN 1 AND 200),
    decided_at timestamptz,
    reason text CHECK (length(reason) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (network, txid, log_index),
    CONSTRAINT incoming_transfers_decided CHECK (
        (state IN ('seen', 'reverted')) = (kind IS NULL AND decided_by IS NULL AND decided_at IS NULL)),
    -- all of it is credited or nothing
    CONSTRAINT incoming_transfers_credited CHECK (
        (state IN ('credited', 'reversed')) = (credited IS NOT NULL)
        AND (credited IS NULL OR (credited = amount AND asset IS NOT NULL AND user_id IS NOT NULL AND address_id IS NOT NULL))),
    CONSTRAINT incoming_transfers_ours CHECK ((address_id IS NULL) = (kind IS NOT DISTINCT FROM 'unknown_address'))
);
-- Serves crediting in the order of the chain, and forks.
CREATE INDEX incoming_transfers_seen ON incoming_transfers (network, block_number, place) WHERE state = 'seen';
-- Serves the operators' lists and the figures of what waits.
CREATE INDEX incoming_transfers_undecided ON incoming_transfers (state, id DESC) WHERE state IN ('held', 'ignored');
-- Serves a deposit's page and a user's history.
CREATE INDEX incoming_transfers_by_deposit ON incoming_transfers (deposit_id) WHERE deposit_id IS NOT NULL;
CREATE INDEX incoming_transfers_by_user ON incoming_transfers (user_id, id DESC) WHERE user_id IS NOT NULL;

CREATE FUNCTION incoming_transfers_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- 'ignored>seen': the address became ours after somebody asked for the transfer
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'seen>reverted', 'reverted>seen', 'seen>credited', 'seen>held', 'seen>ignored',
        'held>credited', 'held>ignored', 'held>refunded', 'ignored>credited', 'ignored>held', 'credited>reversed')
        OR (OLD.state || '>' || NEW.state = 'ignored>seen' AND OLD.kind = 'unknown_address'))
    THEN
        RAISE EXCEPTION 'incoming transfer: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.network, NEW.txid, NEW.log_index) IS DISTINCT FROM (OLD.network, OLD.txid, OLD.log_index) THEN
        RAISE EXCEPTION 'the name of a transfer is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    -- on another branch the same transaction may do something else
    IF OLD.state <> 'reverted' AND (NEW.token, NEW.from_address, NEW.to_address, NEW.amount, NEW.memo) IS DISTINCT FROM
       (OLD.token, OLD.from_address, OLD.to_address, OLD.amount, OLD.memo) THEN
        RAISE EXCEPTION 'what the chain says of a transfer is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    -- a fork may move what is not final, and nothing else
    IF OLD.state NOT IN ('seen', 'reverted') AND (NEW.block_number, NEW.block_id, NEW.place) IS DISTINCT FROM
       (OLD.block_number, OLD.block_id, OLD.place) THEN
        RAISE EXCEPTION 'the block of a final transfer is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'credited' AND (NEW.credited, NEW.asset, NEW.user_id) IS DISTINCT FROM
       (OLD.credited, OLD.asset, OLD.user_id) THEN
        RAISE EXCEPTION 'a credit is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incoming_transfers_guard BEFORE UPDATE ON incoming_transfers
    FOR EACH ROW EXECUTE FUNCTION incoming_transfers_guard();
CREATE TRIGGER incoming_transfers_kept BEFORE DELETE ON incoming_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

GRANT SELECT ON deposit_addresses, deposits, incoming_transfers TO switchyard_api, switchyard_worker;
GRANT INSERT ON deposit_addresses TO switchyard_api, switchyard_worker;
GRANT UPDATE (retired_at) ON deposit_addresses TO switchyard_worker;
GRANT USAGE ON SEQUENCE deposit_address_index TO switchyard_api, switchyard_worker;
GRANT INSERT ON deposits TO switchyard_api;
GRANT UPDATE (state, received, amount_released_at, paid_at, updated_at) ON deposits TO switchyard_worker;
GRANT INSERT ON incoming_transfers TO switchyard_worker;
GRANT UPDATE ON incoming_transfers TO switchyard_worker;
-- For operators: what waits is decided over the API as well.
GRANT UPDATE (state, kind, deposit_id, user_id, asset, credited, decided_by, decided_at, reason, updated_at)
    ON incoming_transfers TO switchyard_api;
