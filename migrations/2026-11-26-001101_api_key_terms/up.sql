-- Until when and from where a key works, and what it was before its secret was replaced.
ALTER TABLE api_keys
    -- null: until it is revoked
    ADD COLUMN expires_at timestamptz,
    -- addresses and ranges (CIDR) that it may be used from; empty: from anywhere
    ADD COLUMN allowed_from text[] NOT NULL DEFAULT '{}' CHECK (cardinality(allowed_from) <= 50);

-- Secrets that were replaced and work until their client has changed over. The key stays who it is: its idempotency keys,
-- quotes and webhooks go on.
CREATE TABLE api_key_former_secrets (
    prefix text PRIMARY KEY CHECK (prefix ~ '^sk_[a-zA-Z0-9]{12}$'),
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    works_until timestamptz NOT NULL,
    replaced_at timestamptz NOT NULL
);
-- Serves the removal of those that a key has.
CREATE INDEX api_key_former_secrets_by_key ON api_key_former_secrets (api_key_id);

GRANT SELECT ON api_key_former_secrets TO switchyard_api;
GRANT SELECT, INSERT, DELETE ON api_key_former_secrets TO switchyard_worker;
GRANT UPDATE (prefix, secret_sha256, expires_at, allowed_from) ON api_keys TO switchyard_worker;
