-- Users' accounts together from their cached balances; each house account from its last checkpoint and what came since.
SELECT 'users' AS account, asset, sum(balance)::text AS balance FROM ledger_accounts WHERE balance IS NOT NULL GROUP BY asset
UNION ALL
SELECT substring(a.code FROM '^house:(.*):[A-Z]+$'), a.asset, (COALESCE(base.balance, 0)
    + COALESCE((SELECT sum(t.amount) FROM ledger_transfers AS t
        WHERE t.credit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8)), 0)
    - COALESCE((SELECT sum(t.amount) FROM ledger_transfers AS t
        WHERE t.debit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8)), 0))::text
FROM ledger_accounts AS a
LEFT JOIN LATERAL (
    SELECT c.below_xact, c.credits - c.debits AS balance
    FROM ledger_checkpoints AS c
    WHERE c.account = a.code AND c.below_xact <= pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY c.created_at DESC, c.below_xact DESC
    LIMIT 1
) AS base ON true
WHERE a.balance IS NULL
ORDER BY 1, 2
