ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_reason_check;
ALTER TABLE ledger_transfers ADD CONSTRAINT ledger_transfers_reason_check CHECK (reason IN (
    'order_hold', 'order_settle', 'order_refund', 'order_cancel', 'operator_adjustment',
    'deposit_credit', 'deposit_reversal', 'payout_hold', 'payout_settle', 'payout_void', 'exchange', 'chain_fee',
    'sweep_energy'));
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
    RETURN NEW;
END $$;
REVOKE UPDATE (ends_at, updated_at) ON delegations FROM switchyard_api;
DROP TABLE order_extensions;
