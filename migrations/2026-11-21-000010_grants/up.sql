-- What each process may do, and no more. Nobody may update or delete money, timelines or prices; the API never sees
-- a key at rest and can only put sealed ones in.
GRANT SELECT ON api_keys, users, user_wallets, idempotency_keys, ledger_accounts, ledger_transfers, ledger_checkpoints,
    jobs, cron_ticks, price_versions, price_bands, supplier_wallets, chain_cursors, blocks, chain_transactions,
    receiver_checks, orders, order_events, delegations, findings, switches
    TO switchyard_api, switchyard_worker;

GRANT INSERT ON users, idempotency_keys, ledger_accounts, ledger_transfers, jobs, orders, order_events, supplier_wallets
    TO switchyard_api, switchyard_worker;
GRANT UPDATE ON orders, jobs TO switchyard_api, switchyard_worker;
GRANT DELETE ON jobs TO switchyard_api, switchyard_worker;

GRANT UPDATE (last_used_at) ON api_keys TO switchyard_api;
GRANT UPDATE (blocked_at, blocked_reason) ON users TO switchyard_api, switchyard_worker;
GRANT INSERT, UPDATE, DELETE ON user_wallets TO switchyard_api;
GRANT INSERT ON wallet_imports TO switchyard_api;
GRANT UPDATE (enabled, label, isolated_at, isolated_reason, failures, updated_at) ON supplier_wallets TO switchyard_api;

GRANT INSERT ON api_keys, price_versions, price_bands, ledger_checkpoints, master_keys, wallet_keys, chain_cursors,
    blocks, chain_transactions, receiver_checks, delegations, findings, switches, cron_ticks TO switchyard_worker;
GRANT UPDATE ON supplier_wallets, chain_cursors, chain_transactions, receiver_checks, delegations, findings, switches
    TO switchyard_worker;
GRANT UPDATE (revoked_at) ON api_keys TO switchyard_worker;
GRANT UPDATE (retired_at) ON master_keys TO switchyard_worker;
GRANT UPDATE (master_key_id, wrapped_data_key, rewrapped_at) ON wallet_keys TO switchyard_worker;
GRANT SELECT ON master_keys, wallet_keys TO switchyard_worker;
GRANT SELECT, DELETE ON wallet_imports TO switchyard_worker;
GRANT DELETE ON blocks, cron_ticks, idempotency_keys TO switchyard_worker;

-- The processes compare the migrations that they know with those applied. Made by diesel; not there when the files are
-- applied by hand.
DO $$
BEGIN
    IF to_regclass('__diesel_schema_migrations') IS NOT NULL THEN
        GRANT SELECT ON __diesel_schema_migrations TO switchyard_api, switchyard_worker;
    END IF;
END $$;
