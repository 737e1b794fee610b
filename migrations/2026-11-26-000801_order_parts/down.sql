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

DROP TRIGGER delegations_within_order ON delegations;
DROP FUNCTION delegations_within_order();
DROP INDEX delegations_one_per_order;
CREATE UNIQUE INDEX delegations_one_per_order ON delegations (order_id) WHERE state <> 'released' AND NOT stray;
ALTER TABLE delegations DROP COLUMN partial;
