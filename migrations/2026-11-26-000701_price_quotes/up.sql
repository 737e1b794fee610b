-- A price that holds for a while. An order that names it costs that, whatever was published since.
CREATE TABLE price_quotes (
    id uuid PRIMARY KEY,
    -- who may use it
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    energy bigint NOT NULL CHECK (energy > 0),
    duration_s integer NOT NULL CHECK (duration_s > 0),
    price_sun bigint NOT NULL CHECK (price_sun > 0),
    price_version_id uuid NOT NULL REFERENCES price_versions (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- the order that was placed on it: one
    order_id uuid UNIQUE REFERENCES orders (id),
    CHECK (expires_at > created_at)
);
-- Serves the pruning of those that nobody used.
CREATE INDEX price_quotes_unused ON price_quotes (expires_at) WHERE order_id IS NULL;

CREATE FUNCTION price_quotes_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.order_id IS NOT NULL THEN
        RAISE EXCEPTION 'quote % was used', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF to_jsonb(NEW) - 'order_id' <> to_jsonb(OLD) - 'order_id' THEN
        RAISE EXCEPTION 'quote % is not changed', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER price_quotes_guarded BEFORE UPDATE OR DELETE ON price_quotes
    FOR EACH ROW EXECUTE FUNCTION price_quotes_guard();

GRANT SELECT, INSERT, UPDATE (order_id) ON price_quotes TO switchyard_api;
GRANT SELECT, DELETE ON price_quotes TO switchyard_worker;
