-- The audit trail: who wrote something, from where, by which request or command, what it changed, and how it ended.
--
-- A line is written in the transaction of its effect, into audit_inbox, and within seconds takes its place in audit_trail, a
-- chain of hashes: whoever follows it sees each line that was changed, removed, added or moved. Many cannot write to the end of
-- one chain at once without waiting for each other's commits, hence the two steps.
CREATE TABLE audit_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- when it was asked for
    at timestamptz NOT NULL,
    -- 'api_key:<id>', 'operator:<name>', and the name at that time
    principal text NOT NULL CHECK (length(principal) BETWEEN 1 AND 200),
    principal_name text NOT NULL CHECK (length(principal_name) BETWEEN 1 AND 200),
    -- of the client, where it is known
    address text CHECK (length(address) BETWEEN 1 AND 100),
    request_id text CHECK (length(request_id) BETWEEN 1 AND 100),
    -- 'create_order', 'cli.prices'
    action text NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
    -- 'POST /api/orders'
    target text CHECK (length(target) BETWEEN 1 AND 600),
    -- the transaction that carries the line; null: none did
    step text CHECK (length(step) BETWEEN 1 AND 100),
    -- 'committed'; without a transaction 'ok' or the code of the problem
    result text NOT NULL CHECK (length(result) BETWEEN 1 AND 100),
    -- the body, secrets masked; json and not jsonb: its very text is hashed
    asked json,
    -- what became of which objects
    changes json NOT NULL CHECK (json_typeof(changes) = 'array')
);

CREATE TABLE audit_trail (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    id bigint NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    principal text NOT NULL,
    principal_name text NOT NULL,
    address text,
    request_id text,
    action text NOT NULL,
    target text,
    step text,
    result text NOT NULL,
    asked json,
    changes json NOT NULL,
    -- SHA-256 over the hash of the line before and audit_text of this one
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);
-- These serve the list of what somebody did, of one kind of act, and of one request.
CREATE INDEX audit_trail_by_principal ON audit_trail (principal, seq);
CREATE INDEX audit_trail_by_action ON audit_trail (action, seq);
CREATE INDEX audit_trail_by_request ON audit_trail (request_id) WHERE request_id IS NOT NULL;

CREATE TRIGGER audit_trail_append_only BEFORE UPDATE OR DELETE ON audit_trail
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_trail_no_truncate BEFORE TRUNCATE ON audit_trail
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_inbox_append_only BEFORE UPDATE ON audit_inbox
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_inbox_no_truncate BEFORE TRUNCATE ON audit_inbox
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A line leaves the inbox for the trail and for nowhere else.
CREATE FUNCTION audit_inbox_leave() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_trail WHERE id = OLD.id) THEN
        RAISE EXCEPTION 'line % of the audit trail is not sealed yet', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER audit_inbox_to_trail BEFORE DELETE ON audit_inbox
    FOR EACH ROW EXECUTE FUNCTION audit_inbox_leave();

-- One field of the text that is hashed: its length in bytes and itself, so that no two lines have one text.
CREATE FUNCTION audit_field(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog AS $$ SELECT coalesce(octet_length(value) || ':' || value, '-') $$;

-- Gives waiting lines their places, oldest first; answers how many, and the end of the chain.
CREATE FUNCTION audit_seal(at_most integer, OUT sealed integer, OUT seq bigint, OUT hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    line audit_inbox;
    placed bigint[] := '{}';
BEGIN
    -- the chain has one end: who seals meanwhile waits
    PERFORM pg_advisory_xact_lock(6120257);
    SELECT t.seq, t.hash INTO seq, hash FROM audit_trail t ORDER BY t.seq DESC LIMIT 1;
    seq := coalesce(seq, 0);
    hash := coalesce(hash, decode(repeat('00', 32), 'hex'));
    FOR line IN SELECT * FROM audit_inbox ORDER BY id LIMIT at_most LOOP
        seq := seq + 1;
        hash := sha256(hash || convert_to(
            audit_field(seq::text) || audit_field(line.id::text)
            || audit_field((extract(epoch FROM line.at) * 1000000)::bigint::text)
            || audit_field(line.principal) || audit_field(line.principal_name) || audit_field(line.address)
            || audit_field(line.request_id) || audit_field(line.action) || audit_field(line.target)
            || audit_field(line.step) || audit_field(line.result) || audit_field(line.asked::text)
            || audit_field(line.changes::text), 'UTF8'));
        INSERT INTO audit_trail VALUES (seq, line.id, line.at, line.principal, line.principal_name, line.address,
            line.request_id, line.action, line.target, line.step, line.result, line.asked, line.changes, hash);
        placed := placed || line.id;
    END LOOP;
    DELETE FROM audit_inbox WHERE id = ANY (placed);
    sealed := cardinality(placed);
END
$$;
REVOKE EXECUTE ON FUNCTION audit_seal(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_seal(integer) TO switchyard_worker;

GRANT SELECT, INSERT ON audit_inbox TO switchyard_api, switchyard_worker;
GRANT SELECT ON audit_trail TO switchyard_api, switchyard_worker;
