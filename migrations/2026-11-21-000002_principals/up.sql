-- Who calls the API, and for whom.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- the visible part, by which a key is found: 'sk_' and 12 characters
    prefix text NOT NULL UNIQUE CHECK (prefix ~ '^sk_[a-zA-Z0-9]{12}$'),
    -- SHA-256 of the whole key; the key has 256 random bits, so no slow hash is needed
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
    rate_limit_per_minute integer NOT NULL CHECK (rate_limit_per_minute BETWEEN 1 AND 1000000),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE users (
    id bigint PRIMARY KEY,
    blocked_at timestamptz,
    blocked_reason text CHECK (length(blocked_reason) <= 500),
    created_at timestamptz NOT NULL
);

-- Addresses that a user rents energy for again and again.
CREATE TABLE user_wallets (
    user_id bigint NOT NULL REFERENCES users (id),
    address text NOT NULL CHECK (address ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    label text CHECK (length(label) <= 100),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, address)
);

-- One row per Idempotency-Key used. Written in the transaction of the effect, so both exist or neither.
CREATE TABLE idempotency_keys (
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- SHA-256 over method, path and body: the same key with another request is refused
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    resource_kind text NOT NULL,
    resource_id text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (api_key_id, key)
);
-- Serves the pruning of keys past their retention.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
