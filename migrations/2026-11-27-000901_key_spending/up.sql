-- What a key may have users spend in a day, and the secret that its requests are signed with, sealed by the API's own key.
ALTER TABLE api_keys
    ADD COLUMN daily_limit_sun bigint CHECK (daily_limit_sun > 0),
    ADD COLUMN signing_sealed bytea CHECK (octet_length(signing_sealed) <= 200),
    -- the secret before, while it still signs
    ADD COLUMN signing_former bytea CHECK (octet_length(signing_former) <= 200),
    ADD COLUMN signing_former_until timestamptz,
    ADD CONSTRAINT api_keys_signing_former CHECK ((signing_former IS NULL) = (signing_former_until IS NULL)
        AND (signing_former IS NULL OR signing_sealed IS NOT NULL));

-- What keys with a limit had users spend, by UTC day.
CREATE TABLE api_key_spending (
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    -- since 1970-01-01
    day integer NOT NULL,
    spent_sun bigint NOT NULL CHECK (spent_sun > 0),
    PRIMARY KEY (api_key_id, day)
);
-- Serves the pruning of days long past.
CREATE INDEX api_key_spending_by_day ON api_key_spending (day);

GRANT SELECT, INSERT, UPDATE ON api_key_spending TO switchyard_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_key_spending TO switchyard_worker;
GRANT UPDATE (daily_limit_sun, signing_sealed, signing_former, signing_former_until) ON api_keys TO switchyard_api;
GRANT UPDATE (daily_limit_sun) ON api_keys TO switchyard_worker;
