-- What one wants done that needs a second person, and what came of it.
CREATE TABLE approvals (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('balances.adjust', 'wallets.replace_key', 'prices.publish')),
    -- whose or what: 'user:<id>', 'wallet:<id>', 'prices'
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 100),
    -- what is to be done, whole
    request jsonb NOT NULL CHECK (jsonb_typeof(request) = 'object'),
    -- the new key of a wallet, sealed to the workers; gone at the end
    sealed bytea CHECK (octet_length(sealed) BETWEEN 32 AND 4096),
    -- 'api_key:<id>', 'operator:<id>'
    requested_by text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 200),
    requested_name text NOT NULL CHECK (length(requested_name) BETWEEN 1 AND 254),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > requested_at),
    state text NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'expired')),
    decided_by text CHECK (length(decided_by) BETWEEN 1 AND 200),
    decided_name text CHECK (length(decided_name) BETWEEN 1 AND 254),
    decision_reason text CHECK (length(decision_reason) BETWEEN 1 AND 500),
    ended_at timestamptz,
    -- what it made
    result jsonb CHECK (jsonb_typeof(result) = 'object'),
    CONSTRAINT approvals_four_eyes CHECK (state <> 'approved' OR decided_by <> requested_by),
    CONSTRAINT approvals_ended CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT approvals_decided CHECK ((state IN ('approved', 'rejected')) = (decided_by IS NOT NULL)
        AND (decided_by IS NULL) = (decided_name IS NULL) AND (decided_by IS NULL) = (decision_reason IS NULL)),
    CONSTRAINT approvals_result CHECK ((state = 'approved') = (result IS NOT NULL)),
    CONSTRAINT approvals_sealed CHECK ((kind = 'wallets.replace_key' AND state = 'open') = (sealed IS NOT NULL))
);
-- One key of a wallet, and one price table, at a time.
CREATE UNIQUE INDEX approvals_one_open ON approvals (kind, subject) WHERE state = 'open' AND kind <> 'balances.adjust';
-- Serves the list of what waits, and the end of what waited too long.
CREATE INDEX approvals_open ON approvals (id) WHERE state = 'open';
CREATE INDEX approvals_by_expiry ON approvals (expires_at) WHERE state = 'open';

CREATE FUNCTION approvals_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'an approval begins open' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'open' OR (NEW.id, NEW.kind, NEW.subject, NEW.request, NEW.requested_by, NEW.requested_name, NEW.reason,
        NEW.requested_at, NEW.expires_at) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.subject, OLD.request, OLD.requested_by,
        OLD.requested_name, OLD.reason, OLD.requested_at, OLD.expires_at)
        OR (NEW.sealed IS NOT NULL AND NEW.sealed IS DISTINCT FROM OLD.sealed) THEN
        RAISE EXCEPTION 'what was asked for is immutable' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_guard BEFORE INSERT OR UPDATE ON approvals FOR EACH ROW EXECUTE FUNCTION approvals_guard();
CREATE TRIGGER approvals_kept BEFORE DELETE ON approvals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approvals_no_truncate BEFORE TRUNCATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What operators decide, they say why.
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_approvals_reason
    CHECK (action NOT IN ('approvals.approve', 'approvals.reject', 'prices.publish', 'orders.refund') OR reason IS NOT NULL) NOT VALID;
ALTER TABLE operator_actions VALIDATE CONSTRAINT operator_actions_approvals_reason;

GRANT SELECT, INSERT ON approvals TO switchyard_api;
GRANT UPDATE (state, sealed, decided_by, decided_name, decision_reason, ended_at, result) ON approvals TO switchyard_api;
GRANT SELECT (id, kind, state, requested_at, expires_at), UPDATE (state, sealed, ended_at) ON approvals TO switchyard_worker;
-- Prices are published over HTTP too, once a second operator agreed.
GRANT INSERT ON price_versions, price_bands TO switchyard_api;
