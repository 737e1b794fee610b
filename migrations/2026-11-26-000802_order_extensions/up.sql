-- Time that was bought for a rental that runs. It is earned at once: the energy is there for good, and stays.
CREATE TABLE order_extensions (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id),
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    duration_s integer NOT NULL CHECK (duration_s > 0),
    price_sun bigint NOT NULL CHECK (price_sun > 0),
    price_version_id uuid NOT NULL REFERENCES price_versions (id),
    ends_at_before timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (ends_at = ends_at_before + make_interval(secs => duration_s)),
    -- an end is put off once
    UNIQUE (order_id, ends_at_before)
);
CREATE TRIGGER order_extensions_append_only BEFORE UPDATE OR DELETE ON order_extensions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON order_extensions TO switchyard_api;
GRANT SELECT ON order_extensions TO switchyard_worker;
GRANT UPDATE (ends_at, updated_at) ON delegations TO switchyard_api;

-- What is settled ends when it was sold to end, and later only by an extension.
CREATE OR REPLACE FUNCTION orders_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF OLD.settled_at IS NOT NULL AND NEW.ends_at IS DISTINCT FROM OLD.ends_at AND NOT EXISTS (
        SELECT 1 FROM order_extensions e
        WHERE e.order_id = NEW.id AND e.ends_at_before = OLD.ends_at AND e.ends_at = NEW.ends_at)
    THEN
        RAISE EXCEPTION 'the end of a settled order moves by an extension only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_reason_check;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_reason_check CHECK (reason IN (
    'order_hold', 'order_settle', 'order_refund', 'order_cancel', 'order_extension', 'operator_adjustment',
    'deposit_credit', 'deposit_reversal', 'payout_hold', 'payout_settle', 'payout_void', 'exchange', 'chain_fee',
    'sweep_energy')) NOT VALID;
ALTER TABLE ledger_transfers VALIDATE CONSTRAINT ledger_transfers_reason_check;
