DROP TABLE ledger_checkpoints, ledger_transfers, ledger_accounts;
DROP FUNCTION ledger_apply_transfer(), ledger_lock_balance(text), ledger_guard_account();
