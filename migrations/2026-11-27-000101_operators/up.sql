-- People who sign in: operators, what they may do, and where they are signed in.

-- An operator writes under a row of his own among the keys, so that idempotency keys, orders and quotes know who asked. No
-- secret opens it: what is presented begins with 'sk_'. What he may do is said by his roles and not by scopes.
ALTER TABLE api_keys
    DROP CONSTRAINT api_keys_prefix_check,
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_prefix_check CHECK (prefix ~ '^(sk|op)_[a-zA-Z0-9]{12}$'),
    ADD CONSTRAINT api_keys_scopes_check
        CHECK (cardinality(scopes) <= 50 AND (cardinality(scopes) = 0) = starts_with(prefix, 'op_'));

CREATE TABLE operators (
    id uuid PRIMARY KEY REFERENCES api_keys (id),
    email text NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- Argon2id, as a PHC string
    password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%' AND length(password_hash) <= 300),
    password_set_at timestamptz NOT NULL,
    -- given by somebody else: good for nothing but for choosing another one
    must_change_password boolean NOT NULL,
    -- the secret of the second factor, sealed by the API's key; null: none yet
    totp_sealed bytea CHECK (octet_length(totp_sealed) <= 200),
    -- one that no code of was shown yet
    totp_pending bytea CHECK (octet_length(totp_pending) <= 200),
    -- the half minute of the last code that was taken: none is taken twice
    totp_last_step bigint,
    -- in a row, since the last one that was right
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    locked_until timestamptz,
    -- of the house or of the table roles
    roles text[] NOT NULL CHECK (cardinality(roles) <= 20),
    disabled_at timestamptz,
    last_sign_in_at timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL CHECK (length(created_by) BETWEEN 1 AND 200)
);

CREATE TABLE operator_sessions (
    id uuid PRIMARY KEY,
    operator_id uuid NOT NULL REFERENCES operators (id),
    -- how often it was refreshed; the token of an earlier generation was stolen
    generation integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
    rotated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- 'signed_out', 'signed_out_everywhere', 'password_changed', 'second_factor_changed', 'reset', 'disabled',
    -- 'token_reused'
    ended_why text CHECK (length(ended_why) BETWEEN 1 AND 50),
    address text CHECK (length(address) <= 100),
    agent text CHECK (length(agent) <= 200),
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
-- Serves the list of somebody's sessions and their end.
CREATE INDEX operator_sessions_alive ON operator_sessions (operator_id, id) WHERE ended_at IS NULL;
-- Serves the pruning of those that are over.
CREATE INDEX operator_sessions_by_expiry ON operator_sessions (expires_at);

-- Roles beside those of the house.
CREATE TABLE roles (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{2,49}$'),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
    permissions text[] NOT NULL CHECK (cardinality(permissions) BETWEEN 1 AND 128),
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL CHECK (length(updated_by) BETWEEN 1 AND 200)
);

GRANT SELECT, INSERT, UPDATE ON operators, operator_sessions TO switchyard_api, switchyard_worker;
GRANT DELETE ON operator_sessions TO switchyard_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON roles TO switchyard_api;
-- UPDATE: a role is held while somebody is given it
GRANT SELECT, UPDATE ON roles TO switchyard_worker;
GRANT INSERT, UPDATE ON switches TO switchyard_api;
-- Operators make, limit, rotate and revoke keys.
GRANT INSERT ON api_keys TO switchyard_api;
GRANT UPDATE (prefix, secret_sha256, rate_limit_per_minute, expires_at, allowed_from, revoked_at) ON api_keys TO switchyard_api;
GRANT INSERT, DELETE ON api_key_former_secrets TO switchyard_api;
GRANT UPDATE (rate_limit_per_minute) ON api_keys TO switchyard_worker;
