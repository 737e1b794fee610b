-- One purchase each.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    network text NOT NULL,
    receiver text NOT NULL CHECK (receiver ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    energy bigint NOT NULL CHECK (energy > 0),
    duration_s integer NOT NULL CHECK (duration_s > 0),
    price_sun bigint NOT NULL CHECK (price_sun > 0),
    price_version_id uuid NOT NULL REFERENCES price_versions (id),
    state text NOT NULL CHECK (state IN ('pending', 'processing', 'completed', 'failed', 'cancelled', 'refunded')),
    -- delegations tried, this one included
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- what is not delivered by then is cancelled or refunded
    deadline_at timestamptz NOT NULL,
    -- why it is not delivered (yet): 'no_wallet_fits', 'receiver_not_activated', 'cancelled_by_user' …
    reason_code text CHECK (length(reason_code) <= 100),
    completed_at timestamptz,
    ends_at timestamptz,
    settled_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT orders_completed_has_times CHECK (state <> 'completed' OR (completed_at IS NOT NULL AND ends_at IS NOT NULL)),
    CONSTRAINT orders_settled_is_completed CHECK (settled_at IS NULL OR state = 'completed')
);
-- Serves a user's list, newest first.
CREATE INDEX orders_by_user ON orders (user_id, id DESC);
-- Serves the deadline sweep and the figures of open orders.
CREATE INDEX orders_open ON orders (deadline_at) WHERE state IN ('pending', 'processing');
-- Serves settlement and the check that escrow equals what is not yet settled.
CREATE INDEX orders_unsettled ON orders (id) WHERE state = 'completed' AND settled_at IS NULL;

-- An order moves only along its arrows; one that is settled or refunded never moves again.
CREATE FUNCTION orders_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.user_id, NEW.receiver, NEW.energy, NEW.duration_s, NEW.price_sun, NEW.network, NEW.price_version_id)
        IS DISTINCT FROM
       (OLD.user_id, OLD.receiver, OLD.energy, OLD.duration_s, OLD.price_sun, OLD.network, OLD.price_version_id) THEN
        RAISE EXCEPTION 'what was ordered is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.settled_at IS NOT NULL OR NOT (OLD.state || '>' || NEW.state IN (
        'pending>processing', 'pending>cancelled', 'pending>failed',
        'processing>pending', 'processing>completed', 'processing>failed',
        'completed>processing', 'failed>refunded')))
    THEN
        RAISE EXCEPTION 'order: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_guard BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_guard();
CREATE TRIGGER orders_kept BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The timeline: what happened to an order, when and why.
CREATE TABLE order_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id),
    at timestamptz NOT NULL,
    event text NOT NULL CHECK (length(event) <= 100),
    state text NOT NULL,
    -- 'api_key:<id>', 'worker', 'chain'
    actor text NOT NULL CHECK (length(actor) <= 200),
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX order_events_by_order ON order_events (order_id, id);
CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE ON order_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One DelegateResource for one order, later undone by one UnDelegateResource.
CREATE TABLE delegations (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id),
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    network text NOT NULL,
    receiver text NOT NULL,
    energy bigint NOT NULL CHECK (energy > 0),
    -- staked sun delegated; exactly this is undelegated
    amount_sun bigint NOT NULL CHECK (amount_sun >= 1000000),
    state text NOT NULL CHECK (state IN ('reserved', 'active', 'reclaiming', 'reclaimed', 'released')),
    -- the block that carried it, while active
    block_number bigint,
    -- the block that undid it, once reclaimed
    reclaim_block_number bigint,
    active_at timestamptz,
    ends_at timestamptz,
    reclaimed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT delegations_active_has_times CHECK (
        state NOT IN ('active', 'reclaiming', 'reclaimed')
        OR (block_number IS NOT NULL AND active_at IS NOT NULL AND ends_at IS NOT NULL)),
    CONSTRAINT delegations_reclaimed_has_block CHECK (
        (state = 'reclaimed') = (reclaim_block_number IS NOT NULL AND reclaimed_at IS NOT NULL))
);
-- An order has at most one delegation that was not given up.
CREATE UNIQUE INDEX delegations_one_per_order ON delegations (order_id) WHERE state <> 'released';
CREATE INDEX delegations_by_order ON delegations (order_id);
-- Serves reservations, and the wish for a wallet without a live delegation to the receiver.
CREATE INDEX delegations_live ON delegations (wallet_id, receiver) WHERE state IN ('reserved', 'active', 'reclaiming');
-- Serves the search for rentals past their end.
CREATE INDEX delegations_ending ON delegations (ends_at) WHERE state IN ('active', 'reclaiming');

CREATE FUNCTION delegations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_id, NEW.wallet_id, NEW.network, NEW.receiver, NEW.energy, NEW.amount_sun) IS DISTINCT FROM
       (OLD.order_id, OLD.wallet_id, OLD.network, OLD.receiver, OLD.energy, OLD.amount_sun) THEN
        RAISE EXCEPTION 'what was delegated is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'reserved>active', 'reserved>released', 'active>reserved', 'active>reclaiming',
        'reclaiming>active', 'reclaiming>reclaimed', 'reclaimed>reclaiming'))
    THEN
        RAISE EXCEPTION 'delegation: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER delegations_guard BEFORE UPDATE ON delegations FOR EACH ROW EXECUTE FUNCTION delegations_guard();
CREATE TRIGGER delegations_kept BEFORE DELETE ON delegations FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_order_fk FOREIGN KEY (order_id) REFERENCES orders (id);
