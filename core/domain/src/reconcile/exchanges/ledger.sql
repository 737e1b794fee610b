WITH recorded AS (
    SELECT 'exchange:' || id || ':' || leg AS event,
        CASE leg WHEN 'usdt' THEN 'user:' || user_id || ':USDT > house:exchange:USDT ' || usdt_micro
            ELSE 'house:exchange:TRX > user:' || user_id || ':TRX ' || sun
        END AS what
    FROM exchanges
    CROSS JOIN (VALUES ('usdt'), ('trx')) AS legs (leg)
    WHERE state = 'done'
), posted AS (
    SELECT event, debit_account || ' > ' || credit_account || ' ' || amount AS what
    FROM ledger_transfers
    WHERE reason = 'exchange'
)
SELECT COALESCE(recorded.event, posted.event) AS event, recorded.what AS recorded, posted.what AS posted
FROM recorded FULL JOIN posted ON posted.event = recorded.event
WHERE recorded.what IS DISTINCT FROM posted.what
ORDER BY 1
LIMIT 100
