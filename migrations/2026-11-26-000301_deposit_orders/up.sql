-- An order that a deposit is to buy: at most one for each deposit, at the price that was told when it was announced.
CREATE TABLE deposit_orders (
    deposit_id uuid PRIMARY KEY REFERENCES deposits (id),
    receiver text NOT NULL CHECK (receiver ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    energy bigint NOT NULL CHECK (energy > 0),
    duration_s integer NOT NULL CHECK (duration_s > 0),
    price_sun bigint NOT NULL CHECK (price_sun > 0),
    price_version_id uuid NOT NULL REFERENCES price_versions (id),
    state text NOT NULL CHECK (state IN ('waiting', 'placed', 'failed')),
    -- the order that was placed; no other deposit can have placed it
    order_id uuid UNIQUE REFERENCES orders (id),
    -- why none was placed: 'late', 'insufficient_funds' … The money is on the user's balance then
    reason_code text CHECK (length(reason_code) <= 100),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT deposit_orders_placed CHECK ((state = 'placed') = (order_id IS NOT NULL)),
    CONSTRAINT deposit_orders_failed CHECK ((state = 'failed') = (reason_code IS NOT NULL))
);
-- Serves the search for paid deposits whose order nobody places.
CREATE INDEX deposit_orders_waiting ON deposit_orders (deposit_id) WHERE state = 'waiting';

-- What is to be bought never changes, and it is bought once or never.
CREATE FUNCTION deposit_orders_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.deposit_id, NEW.receiver, NEW.energy, NEW.duration_s, NEW.price_sun, NEW.price_version_id, NEW.created_at)
        IS DISTINCT FROM
       (OLD.deposit_id, OLD.receiver, OLD.energy, OLD.duration_s, OLD.price_sun, OLD.price_version_id, OLD.created_at) THEN
        RAISE EXCEPTION 'what a deposit is to buy is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'waiting' THEN
        RAISE EXCEPTION 'the order of a deposit: % is its end', OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deposit_orders_guard BEFORE UPDATE ON deposit_orders FOR EACH ROW EXECUTE FUNCTION deposit_orders_guard();
CREATE TRIGGER deposit_orders_kept BEFORE DELETE ON deposit_orders FOR EACH ROW EXECUTE FUNCTION refuse_change();

GRANT SELECT ON deposit_orders TO switchyard_api, switchyard_worker;
GRANT INSERT ON deposit_orders TO switchyard_api;
GRANT UPDATE (state, order_id, reason_code, updated_at) ON deposit_orders TO switchyard_worker;
