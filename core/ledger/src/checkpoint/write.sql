-- $1: now. One statement, so one snapshot: what it sums and where it says it stopped belong together.
INSERT INTO ledger_checkpoints (account, below_xact, debits, credits, created_at)
SELECT a.code, bound.xact, COALESCE(base.debits, 0) + debit.total, COALESCE(base.credits, 0) + credit.total, $1
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xact) AS bound
CROSS JOIN ledger_accounts AS a
LEFT JOIN LATERAL (
    SELECT c.below_xact, c.debits, c.credits
    FROM ledger_checkpoints AS c
    WHERE c.account = a.code AND c.below_xact <= bound.xact
    ORDER BY c.created_at DESC, c.below_xact DESC
    LIMIT 1
) AS base ON true
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(t.amount), 0) AS total
    FROM ledger_transfers AS t
    WHERE t.debit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8) AND t.xact_id < bound.xact
) AS debit
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(t.amount), 0) AS total
    FROM ledger_transfers AS t
    WHERE t.credit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8) AND t.xact_id < bound.xact
) AS credit
WHERE a.user_id IS NULL AND (debit.total > 0 OR credit.total > 0)
ON CONFLICT (account, below_xact) DO NOTHING
