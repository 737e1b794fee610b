-- $1: account code. A checkpoint counts only once every transaction before it has ended; the newest made wins, not the
-- highest, since transaction ids begin anew where a dump is restored into another cluster.
WITH base AS (
    SELECT below_xact, credits - debits AS balance
    FROM ledger_checkpoints
    WHERE account = $1 AND below_xact <= pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY created_at DESC, below_xact DESC
    LIMIT 1
)
SELECT (COALESCE((SELECT balance FROM base), 0)
    + COALESCE((SELECT sum(amount) FROM ledger_transfers
        WHERE credit_account = $1 AND xact_id >= COALESCE((SELECT below_xact FROM base), '0'::xid8)), 0)
    - COALESCE((SELECT sum(amount) FROM ledger_transfers
        WHERE debit_account = $1 AND xact_id >= COALESCE((SELECT below_xact FROM base), '0'::xid8)), 0)
    )::text AS balance
