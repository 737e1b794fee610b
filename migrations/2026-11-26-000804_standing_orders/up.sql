-- An address that is to have energy until a date or a budget: orders are placed for it whenever it has less.
CREATE TABLE standing_orders (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    -- who asked for it; the orders are booked under it, and it ends when the key is revoked
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    network text NOT NULL,
    receiver text NOT NULL CHECK (receiver ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    -- what the address is to have at any time
    keep_energy bigint NOT NULL CHECK (keep_energy > 0),
    -- for how long each order is
    duration_s integer NOT NULL CHECK (duration_s > 0),
    -- what its orders may cost together, less what was given back
    budget_sun bigint NOT NULL CHECK (budget_sun > 0),
    until timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'ended')),
    -- why it ended: 'stopped', 'date', 'budget', 'api_key_revoked'
    end_code text CHECK (length(end_code) <= 100),
    -- why it cannot order now, such as 'insufficient_funds'; it goes on trying
    held_code text CHECK (length(held_code) <= 100),
    -- what the last look found the address to have
    seen_energy bigint,
    seen_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((state = 'ended') = (end_code IS NOT NULL))
);
-- An address is kept by one of a user's.
CREATE UNIQUE INDEX standing_orders_one_per_address ON standing_orders (user_id, network, receiver) WHERE state = 'active';
-- Serves a user's list, newest first.
CREATE INDEX standing_orders_by_user ON standing_orders (user_id, id DESC);
-- Serves the search for those whose job was lost.
CREATE INDEX standing_orders_active ON standing_orders (id) WHERE state = 'active';

-- The orders that were placed for one, in turn.
CREATE TABLE standing_order_orders (
    standing_order_id uuid NOT NULL REFERENCES standing_orders (id),
    turn integer NOT NULL CHECK (turn > 0),
    order_id uuid NOT NULL UNIQUE REFERENCES orders (id),
    PRIMARY KEY (standing_order_id, turn)
);

CREATE FUNCTION standing_orders_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.user_id, NEW.api_key_id, NEW.network, NEW.receiver, NEW.keep_energy, NEW.duration_s, NEW.budget_sun, NEW.until)
        IS DISTINCT FROM
       (OLD.user_id, OLD.api_key_id, OLD.network, OLD.receiver, OLD.keep_energy, OLD.duration_s, OLD.budget_sun, OLD.until)
    THEN
        RAISE EXCEPTION 'the terms of a standing order are immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'ended' THEN
        RAISE EXCEPTION 'a standing order that ended stays so' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER standing_orders_guard BEFORE UPDATE ON standing_orders
    FOR EACH ROW EXECUTE FUNCTION standing_orders_guard();
CREATE TRIGGER standing_orders_kept BEFORE DELETE ON standing_orders FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standing_order_orders_append_only BEFORE UPDATE OR DELETE ON standing_order_orders
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE ON standing_orders TO switchyard_api;
GRANT SELECT, UPDATE ON standing_orders TO switchyard_worker;
GRANT SELECT ON standing_order_orders TO switchyard_api;
GRANT SELECT, INSERT ON standing_order_orders TO switchyard_worker;
