-- Who is told of events, and over what secret.
CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY,
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    description text CHECK (length(description) <= 200),
    -- empty: all
    event_types text[] NOT NULL CHECK (cardinality(event_types) <= 100),
    enabled boolean NOT NULL,
    -- 'gone' (it answered 410) or 'by_hand'
    disabled_reason text CHECK (length(disabled_reason) <= 100),
    -- 'api_key:<id>'
    created_by text NOT NULL CHECK (length(created_by) BETWEEN 1 AND 200),
    -- since when no message arrived; null after one did
    failing_since timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- it is told nothing more; the record of what it was told stays until it is pruned
    deleted_at timestamptz,
    CONSTRAINT webhook_endpoints_disabled CHECK (enabled = (disabled_reason IS NULL)),
    CONSTRAINT webhook_endpoints_deleted CHECK (deleted_at IS NULL OR NOT enabled)
);

-- What messages are signed with, sealed to the workers: the API puts a secret in and cannot read it again.
CREATE TABLE webhook_secrets (
    id uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id),
    sealed bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 50 AND 4096),
    created_at timestamptz NOT NULL,
    -- null: the current one; else it signs beside its successor until then
    expires_at timestamptz
);
-- An endpoint has one current secret. Serves the signing of a message too.
CREATE UNIQUE INDEX webhook_secrets_current ON webhook_secrets (endpoint_id) WHERE expires_at IS NULL;
CREATE INDEX webhook_secrets_by_endpoint ON webhook_secrets (endpoint_id);

-- One event for one endpoint. Both exist, since the statement that writes the event makes these rows out of both, and
-- neither is ever deleted: foreign keys would have every order lock the endpoint's row.
CREATE TABLE webhook_deliveries (
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    -- sends since it was made or asked for again
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL,
    delivered_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (endpoint_id, event_id),
    CONSTRAINT webhook_deliveries_delivered CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);
-- Serves the search for what is due, and the sending in order.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at, event_id) WHERE state = 'pending';
-- Serves the pruning of what ended long ago.
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (updated_at) WHERE state <> 'pending';

-- Each send and what came of it.
CREATE TABLE webhook_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    at timestamptz NOT NULL,
    -- the HTTP status, if there was an answer
    status integer CHECK (status BETWEEN 100 AND 999),
    -- the beginning of the answer
    answer text CHECK (octet_length(answer) <= 4096),
    -- why there was none
    error text CHECK (length(error) <= 500),
    duration_ms integer NOT NULL CHECK (duration_ms >= 0),
    CONSTRAINT webhook_attempts_outcome CHECK ((status IS NULL) = (error IS NOT NULL)),
    FOREIGN KEY (endpoint_id, event_id) REFERENCES webhook_deliveries (endpoint_id, event_id) ON DELETE CASCADE
);
CREATE INDEX webhook_attempts_by_delivery ON webhook_attempts (endpoint_id, event_id, id);
CREATE TRIGGER webhook_attempts_unchanged BEFORE UPDATE ON webhook_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

GRANT SELECT ON webhook_endpoints, webhook_deliveries, webhook_attempts TO switchyard_api, switchyard_worker;
GRANT INSERT, UPDATE ON webhook_deliveries TO switchyard_api, switchyard_worker;
GRANT INSERT, UPDATE ON webhook_endpoints TO switchyard_api;
GRANT UPDATE (enabled, disabled_reason, failing_since, updated_at) ON webhook_endpoints TO switchyard_worker;
GRANT SELECT (id, endpoint_id, created_at, expires_at), INSERT, UPDATE (expires_at), DELETE ON webhook_secrets
    TO switchyard_api;
GRANT SELECT, DELETE ON webhook_secrets TO switchyard_worker;
GRANT INSERT ON webhook_attempts TO switchyard_worker;
GRANT DELETE ON webhook_deliveries TO switchyard_worker;
