REVOKE UPDATE (ciphertext, created_at) ON wallet_keys FROM switchyard_worker;
ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_keys_reason;
DROP TABLE wallet_key_replacements;
DROP FUNCTION wallet_key_replacements_guard();
