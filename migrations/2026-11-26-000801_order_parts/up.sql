-- An order too large for any wallet is delivered in parts: several delegations, each from a wallet of its own, that
-- together have the order's energy.
ALTER TABLE delegations ADD COLUMN partial boolean NOT NULL DEFAULT false;

-- What is delegated whole is delegated once.
DROP INDEX delegations_one_per_order;
CREATE UNIQUE INDEX delegations_one_per_order ON delegations (order_id)
    WHERE state <> 'released' AND NOT stray AND NOT partial;

-- What was not given up of an order is never more than what was ordered. Delegations are inserted by claims, which hold
-- the order's row; no other change makes it more.
CREATE FUNCTION delegations_within_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    over uuid;
BEGIN
    SELECT o.id INTO over FROM orders o
    WHERE o.id IN (SELECT n.order_id FROM new_rows n)
        AND (SELECT sum(d.energy) FROM delegations d
             WHERE d.order_id = o.id AND d.state <> 'released' AND NOT d.stray) > o.energy
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'more is delegated for order % than was ordered', over USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER delegations_within_order AFTER INSERT ON delegations
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION delegations_within_order();

-- A part becomes a stray, too, where its order ends without being delivered: it may still land, and is then taken back.
CREATE OR REPLACE FUNCTION delegations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_id, NEW.wallet_id, NEW.network, NEW.receiver, NEW.energy, NEW.amount_sun, NEW.partial)
        IS DISTINCT FROM
       (OLD.order_id, OLD.wallet_id, OLD.network, OLD.receiver, OLD.energy, OLD.amount_sun, OLD.partial) THEN
        RAISE EXCEPTION 'what was delegated is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.stray <> OLD.stray AND NOT (NEW.stray AND (OLD.state || '>' || NEW.state = 'released>active'
        OR (OLD.partial AND OLD.state || '>' || NEW.state IN ('reserved>reserved', 'active>active')))) THEN
        RAISE EXCEPTION 'a delegation becomes a stray only when it is adopted, or its order ends' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state IN (
        'reserved>active', 'reserved>released', 'active>reserved', 'active>reclaiming',
        'reclaiming>active', 'reclaiming>reclaimed', 'reclaimed>reclaiming')
        OR (NEW.stray AND OLD.state || '>' || NEW.state = 'released>active'))
    THEN
        RAISE EXCEPTION 'delegation: % to % is no arrow', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
