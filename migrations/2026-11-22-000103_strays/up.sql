-- A transaction that we held for dead and that is in a block all the same: an operator adopts it, so that the books say
-- what the chain does and the reclaim takes the stake back. The delegation it made is a stray: it delivers no order.
ALTER TABLE delegations ADD COLUMN stray boolean NOT NULL DEFAULT false;

DROP INDEX delegations_one_per_order;
-- An order has at most one delegation that was not given up.
CREATE UNIQUE INDEX delegations_one_per_order ON delegations (order_id) WHERE state <> 'released' AND NOT stray;

CREATE OR REPLACE FUNCTION delegations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_id, NEW.wallet_id, NEW.network, NEW.receiver, NEW.energy, NEW.amount_sun) IS DISTINCT FROM
       (OLD.order_id, OLD.wallet_id, OLD.network, OLD.receiver, OLD.energy, OLD.amount_sun) THEN
        RAISE EXCEPTION 'what was delegated is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.stray <> OLD.stray AND NOT (NEW.stray AND OLD.state || '>' || NEW.state = 'released>active') THEN
        RAISE EXCEPTION 'a delegation becomes a stray only when it is adopted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'reserved>active', 'reserved>released', 'active>reserved', 'active>reclaiming',
        'reclaiming>active', 'reclaiming>reclaimed', 'reclaimed>reclaiming')
        OR (NEW.stray AND NOT OLD.stray AND OLD.state || '>' || NEW.state = 'released>active'))
    THEN
        RAISE EXCEPTION 'delegation: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION chain_transactions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.network, NEW.txid, NEW.intent_kind, NEW.intent_id, NEW.wallet_id, NEW.raw, NEW.timestamp_ms, NEW.expires_at)
        IS DISTINCT FROM
       (OLD.network, OLD.txid, OLD.intent_kind, OLD.intent_id, OLD.wallet_id, OLD.raw, OLD.timestamp_ms, OLD.expires_at)
    THEN
        RAISE EXCEPTION 'a signed transaction is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    -- the last one is an adoption
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'signed>sent', 'signed>included', 'signed>dead', 'sent>included', 'sent>dead',
        'included>final', 'included>sent', 'dead>final'))
    THEN
        RAISE EXCEPTION 'chain transaction: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
