WITH recorded AS (
    SELECT 'deposit:' || network || ':' || txid || ':' || log_index || ':' || step AS event,
        CASE step WHEN 'credit' THEN 'house:deposits:' || network || ':' || asset || ' > user:' || user_id || ':' || asset
            ELSE 'user:' || user_id || ':' || asset || ' > house:deposits:' || network || ':' || asset
        END || ' ' || credited AS what
    FROM incoming_transfers
    CROSS JOIN (VALUES ('credit'), ('reversal')) AS steps (step)
    WHERE state = 'reversed' OR (state = 'credited' AND step = 'credit')
), posted AS (
    SELECT event, debit_account || ' > ' || credit_account || ' ' || amount AS what
    FROM ledger_transfers
    WHERE reason IN ('deposit_credit', 'deposit_reversal')
)
SELECT COALESCE(recorded.event, posted.event) AS event, recorded.what AS recorded, posted.what AS posted
FROM recorded FULL JOIN posted ON posted.event = recorded.event
WHERE recorded.what IS DISTINCT FROM posted.what
ORDER BY 1
LIMIT 100
