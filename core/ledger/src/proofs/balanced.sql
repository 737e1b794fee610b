-- What is kept: the cached balance of a user's account; for a house account its last checkpoint and what came since.
WITH kept AS (
    SELECT code, asset, balance::numeric AS balance FROM ledger_accounts WHERE balance IS NOT NULL
    UNION ALL
    SELECT a.code, a.asset, COALESCE(base.balance, 0) + since.balance
    FROM ledger_accounts AS a
    LEFT JOIN LATERAL (
        SELECT c.below_xact, c.credits - c.debits AS balance
        FROM ledger_checkpoints AS c
        WHERE c.account = a.code AND c.below_xact <= pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY c.created_at DESC, c.below_xact DESC
        LIMIT 1
    ) AS base ON true
    CROSS JOIN LATERAL (
        SELECT
            COALESCE((SELECT sum(t.amount) FROM ledger_transfers AS t
                WHERE t.credit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8)), 0)
            - COALESCE((SELECT sum(t.amount) FROM ledger_transfers AS t
                WHERE t.debit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8)), 0) AS balance
    ) AS since
    WHERE a.balance IS NULL
)
SELECT asset, sum(balance)::text AS total
FROM kept
GROUP BY asset
HAVING sum(balance) <> 0
ORDER BY asset
