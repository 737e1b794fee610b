CREATE OR REPLACE FUNCTION chain_transactions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION delegations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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

DROP INDEX delegations_one_per_order;
CREATE UNIQUE INDEX delegations_one_per_order ON delegations (order_id) WHERE state <> 'released';
ALTER TABLE delegations DROP COLUMN stray;
