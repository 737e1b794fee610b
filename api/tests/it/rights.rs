//! Least privilege: what the API's role must not do, asked of PostgreSQL itself.

use diesel_async::SimpleAsyncConnection;
use testkit::Role;

use crate::support::TestApi;

#[tokio::test]
async fn the_api_can_neither_read_keys_nor_edit_money() {
    let api = TestApi::new().await;
    let pool = api.db.pool(Role::Api);
    let mut conn = db::acquire(&pool).await.unwrap();
    for sql in [
        "SELECT * FROM wallet_keys",
        "SELECT * FROM master_keys",
        "SELECT * FROM wallet_imports",
        "UPDATE ledger_transfers SET amount = 1",
        "DELETE FROM ledger_transfers",
        "UPDATE ledger_accounts SET balance = 1",
        "UPDATE api_keys SET scopes = '{orders:write}'",
        "UPDATE api_keys SET name = 'x'",
        "DELETE FROM api_keys",
        "UPDATE api_key_former_secrets SET works_until = now()",
        "UPDATE api_key_holders SET since = now()",
        "DELETE FROM api_key_holders",
        "UPDATE operator_makers SET since = now()",
        "DELETE FROM operator_makers",
        "DELETE FROM operators",
        "DELETE FROM operator_sessions",
        "DELETE FROM switches",
        "UPDATE supplier_wallets SET delegatable_sun = 1",
        "UPDATE price_versions SET note = 'x'",
        "DELETE FROM price_bands",
        "UPDATE approvals SET request = '{}'",
        "UPDATE approvals SET requested_by = 'x'",
        "DELETE FROM approvals",
        "UPDATE setting_versions SET reason = 'x'",
        "DELETE FROM setting_versions",
        "DELETE FROM orders",
        "UPDATE operator_actions SET reason = 'x'",
        "DELETE FROM operator_actions",
        "UPDATE findings SET severity = 'info'",
        "INSERT INTO findings SELECT * FROM findings",
        "SELECT sealed FROM webhook_secrets",
        "UPDATE webhook_secrets SET sealed = ''",
        "UPDATE events SET data = '{}'",
        "DELETE FROM events",
        "UPDATE events_gone SET xact = 0",
        "DELETE FROM webhook_deliveries",
        "UPDATE webhook_attempts SET status = 200",
        "UPDATE payouts SET amount = 1",
        "UPDATE payouts SET attempts = 0",
        "DELETE FROM payouts",
        "DELETE FROM payout_events",
        "UPDATE supplier_wallets SET purpose = 'treasury'",
        "SELECT * FROM deposit_account_keys",
        "INSERT INTO deposit_account_keys SELECT * FROM deposit_account_keys",
        "INSERT INTO sweeps SELECT * FROM sweeps",
        "UPDATE sweeps SET state = 'cancelled'",
        "DELETE FROM sweep_events",
        "INSERT INTO rentals SELECT * FROM rentals",
        "UPDATE rentals SET payout_id = NULL",
        "UPDATE stakings SET state = 'cancelled'",
        "DELETE FROM stakings",
        "DELETE FROM staking_events",
        "CREATE TABLE mine (id int)",
    ] {
        let refused = conn.batch_execute(sql).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
}
