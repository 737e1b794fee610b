DROP TABLE api_key_spending;
ALTER TABLE api_keys
    DROP CONSTRAINT api_keys_signing_former,
    DROP COLUMN signing_former_until,
    DROP COLUMN signing_former,
    DROP COLUMN signing_sealed,
    DROP COLUMN daily_limit_sun;
