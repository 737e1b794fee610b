REVOKE UPDATE (prefix, secret_sha256) ON api_keys FROM switchyard_worker;
DROP TABLE api_key_former_secrets;
ALTER TABLE api_keys DROP COLUMN allowed_from, DROP COLUMN expires_at;
