-- USDT of a user that becomes TRX, once, at a stored rate.
CREATE TABLE exchanges (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    usdt_micro bigint NOT NULL CHECK (usdt_micro > 0),
    -- 'request': somebody asked for it. 'deposit': the settings ask for it of whatever USDT comes in
    cause text NOT NULL CHECK (cause IN ('request', 'deposit')),
    transfer_id uuid UNIQUE REFERENCES incoming_transfers (id),
    -- 'api_key:<id>', 'operator:<name>', 'worker'
    requested_by text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 200),
    -- 'pending': there was no fresh rate. 'failed': the user still has the USDT, or has spent it
    state text NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    -- the rate of the house, what it kept of it in 1/100 %, and what was left: sun for one USDT
    rate_id uuid REFERENCES rates (id),
    rate_sun_per_usdt bigint CHECK (rate_sun_per_usdt > 0),
    fee_bp integer CHECK (fee_bp BETWEEN 0 AND 9999),
    net_sun_per_usdt bigint,
    -- what the user got
    sun bigint CHECK (sun > 0),
    -- why it failed: 'funds_spent', 'too_small', 'too_large', 'deposit_reversed'
    reason_code text CHECK (length(reason_code) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT exchanges_of_deposit CHECK ((cause = 'deposit') = (transfer_id IS NOT NULL)),
    CONSTRAINT exchanges_done CHECK (
        num_nonnulls(rate_id, rate_sun_per_usdt, fee_bp, net_sun_per_usdt, sun)
            = CASE state WHEN 'done' THEN 5 ELSE 0 END),
    CONSTRAINT exchanges_failed CHECK ((state = 'failed') = (reason_code IS NOT NULL)),
    CONSTRAINT exchanges_ended CHECK ((state = 'pending') = (ended_at IS NULL)),
    -- both are rounded down
    CONSTRAINT exchanges_net CHECK (
        net_sun_per_usdt = div(rate_sun_per_usdt::numeric * (10000 - fee_bp), 10000)),
    CONSTRAINT exchanges_sun CHECK (sun = div(usdt_micro::numeric * net_sun_per_usdt, 1000000))
);
-- Serves a user's list, newest first.
CREATE INDEX exchanges_by_user ON exchanges (user_id, id DESC);
-- Serves the work on those that wait, oldest first, and the figures of them.
CREATE INDEX exchanges_pending ON exchanges (created_at, id) WHERE state = 'pending';

-- An exchange ends once, and never changes what it is of.
CREATE FUNCTION exchanges_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state = 'failed' THEN
            RAISE EXCEPTION 'an exchange does not begin as failed' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.user_id, NEW.usdt_micro, NEW.cause, NEW.transfer_id, NEW.requested_by, NEW.created_at)
        IS DISTINCT FROM
       (OLD.id, OLD.user_id, OLD.usdt_micro, OLD.cause, OLD.transfer_id, OLD.requested_by, OLD.created_at) THEN
        RAISE EXCEPTION 'what is to be exchanged is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'exchange: % is an end', OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exchanges_guard BEFORE INSERT OR UPDATE ON exchanges
    FOR EACH ROW EXECUTE FUNCTION exchanges_guard();
CREATE TRIGGER exchanges_kept BEFORE DELETE ON exchanges FOR EACH ROW EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON exchanges TO switchyard_api, switchyard_worker;
-- An operator who takes a credit back over the API ends what was to be exchanged of it.
GRANT UPDATE (state, reason_code, updated_at, ended_at) ON exchanges TO switchyard_api;
GRANT UPDATE (state, rate_id, rate_sun_per_usdt, fee_bp, net_sun_per_usdt, sun, reason_code, updated_at, ended_at)
    ON exchanges TO switchyard_worker;
