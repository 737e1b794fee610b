-- What is kept: the cached balance of a user's account; for a house account its last checkpoint and what came since.
WITH kept AS (
    SELECT a.code, a.asset, COALESCE(a.balance::numeric, COALESCE(base.balance, 0) + since.balance) AS balance
    FROM ledger_accounts AS a
    LEFT JOIN LATERAL (
        SELECT c.below_xact, c.credits - c.debits AS balance
        FROM ledger_checkpoints AS c
        WHERE c.account = a.code AND c.below_xact <= pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY c.created_at DESC, c.below_xact DESC
        LIMIT 1
    ) AS base ON a.balance IS NULL
    LEFT JOIN LATERAL (
        SELECT
            COALESCE((SELECT sum(t.amount) FROM ledger_transfers AS t
                WHERE t.credit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8)), 0)
            - COALESCE((SELECT sum(t.amount) FROM ledger_transfers AS t
                WHERE t.debit_account = a.code AND t.xact_id >= COALESCE(base.below_xact, '0'::xid8)), 0) AS balance
    ) AS since ON a.balance IS NULL
)
SELECT asset, sum(balance)::text AS total
FROM kept
GROUP BY asset
HAVING sum(balance) <> 0
ORDER BY asset
