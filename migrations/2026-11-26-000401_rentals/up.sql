-- 'rental': it came to the published address that energy is bought at.
ALTER TABLE incoming_transfers DROP CONSTRAINT incoming_transfers_kind_check;
ALTER TABLE incoming_transfers ADD CONSTRAINT incoming_transfers_kind_check
    CHECK (kind IN ('exact', 'partial', 'over', 'late', 'duplicate', 'plain', 'wrong_token', 'unknown_address',
        'dust', 'blocked_sender', 'retired_address', 'unmatched', 'too_large', 'internal', 'rental')) NOT VALID;
ALTER TABLE incoming_transfers VALIDATE CONSTRAINT incoming_transfers_kind_check;

-- Coin that was sent to buy energy, without a customer's account: one row per transfer. It is credited to a customer of the
-- house's own, and leaves him for the order, or back to the sender.
CREATE TABLE rentals (
    transfer_id uuid PRIMARY KEY REFERENCES incoming_transfers (id),
    -- the house's own customer, and the key that the order is booked under
    user_id bigint NOT NULL REFERENCES users (id),
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    sender text NOT NULL CHECK (sender ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    amount_sun bigint NOT NULL CHECK (amount_sun > 0),
    -- what it buys; NULL where its amount or its memo buys nothing
    receiver text CHECK (receiver ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    energy bigint CHECK (energy > 0),
    duration_s integer CHECK (duration_s > 0),
    -- 'waiting': for its order. 'placed': the order is on its way. 'returning': a payout brings it back
    state text NOT NULL CHECK (state IN ('waiting', 'placed', 'delivered', 'returning', 'returned', 'held', 'closed')),
    order_id uuid UNIQUE REFERENCES orders (id),
    -- the payout that brings, or brought, it back
    payout_id uuid UNIQUE REFERENCES payouts (id),
    -- why nothing was delivered: 'no_package', 'bad_memo', 'receiver_not_activated' …
    reason_code text CHECK (length(reason_code) <= 100),
    -- why it was not sent back: 'sender_unknown', 'below_minimum', 'payout_failed' …
    held_code text CHECK (length(held_code) <= 100),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT rentals_wanted CHECK ((receiver IS NULL) = (energy IS NULL) AND (energy IS NULL) = (duration_s IS NULL)),
    CONSTRAINT rentals_ordered CHECK (state NOT IN ('placed', 'delivered') OR order_id IS NOT NULL),
    CONSTRAINT rentals_paid_back CHECK (state NOT IN ('returning', 'returned') OR payout_id IS NOT NULL),
    CONSTRAINT rentals_reasons CHECK (state NOT IN ('returning', 'returned', 'held', 'closed') OR reason_code IS NOT NULL),
    CONSTRAINT rentals_held CHECK (state <> 'held' OR held_code IS NOT NULL)
);
-- Serves the figures, the search for lost jobs and the operators' list of what waits.
CREATE INDEX rentals_open ON rentals (state, created_at) WHERE state IN ('waiting', 'placed', 'returning', 'held');

-- Delivered or given back, never both, and never given back twice: whatever the processes believe, the order and the payout
-- are asked.
CREATE FUNCTION rentals_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'waiting' THEN
            RAISE EXCEPTION 'a rental does not begin as %', NEW.state USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.user_id, NEW.api_key_id, NEW.sender, NEW.amount_sun, NEW.receiver, NEW.energy, NEW.duration_s)
        IS DISTINCT FROM
       (OLD.user_id, OLD.api_key_id, OLD.sender, OLD.amount_sun, OLD.receiver, OLD.energy, OLD.duration_s)
        OR (OLD.order_id IS NOT NULL AND NEW.order_id IS DISTINCT FROM OLD.order_id)
        OR (NEW.payout_id IS DISTINCT FROM OLD.payout_id AND NEW.state <> 'returning')
    THEN
        RAISE EXCEPTION 'what was sent, and what it bought, is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'waiting>placed', 'waiting>returning', 'waiting>held', 'placed>delivered', 'placed>returning', 'placed>held',
        'returning>returned', 'returning>held', 'held>returning', 'held>closed'))
    THEN
        RAISE EXCEPTION 'rental: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state IN ('returning', 'held', 'closed') AND NEW.order_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM orders WHERE id = NEW.order_id AND state NOT IN ('cancelled', 'refunded')) THEN
        RAISE EXCEPTION 'the order of this rental stands' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state IN ('returning', 'held', 'closed') AND OLD.payout_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM payouts WHERE id = OLD.payout_id AND state NOT IN ('rejected', 'failed')) AND OLD.state <> NEW.state THEN
        RAISE EXCEPTION 'this rental is being paid back' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rentals_guard BEFORE INSERT OR UPDATE ON rentals FOR EACH ROW EXECUTE FUNCTION rentals_guard();
CREATE TRIGGER rentals_kept BEFORE DELETE ON rentals FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Money is sent back, and let be, for a reason.
ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_reason;
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_reason CHECK (
    action NOT IN ('jobs.drop', 'findings.resolve', 'payouts.approve', 'payouts.reject', 'sweeps.cancel', 'rentals.return',
        'rentals.close') OR reason IS NOT NULL);

GRANT SELECT ON rentals TO switchyard_api, switchyard_worker;
GRANT INSERT ON rentals TO switchyard_worker;
GRANT UPDATE (state, order_id, payout_id, reason_code, held_code, updated_at) ON rentals TO switchyard_worker;
-- A credit that is taken back over the API closes its rental.
GRANT UPDATE (state, updated_at) ON rentals TO switchyard_api;
-- What bought nothing is paid back by the workers' own decision, within the limits of payouts.
GRANT INSERT ON payouts TO switchyard_worker;
