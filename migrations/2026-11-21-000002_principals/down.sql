DROP TABLE idempotency_keys, user_wallets, users, api_keys;
