-- Addresses that were collected since $1, and those that a finding is open about; all that was ever collected from each, and
-- all that ever came there, credited or not.
WITH looked_at AS (
    SELECT s.network, s.wallet_id FROM sweeps s WHERE s.asset = 'TRX' AND s.state = 'completed' AND s.ended_at > $1
    UNION
    SELECT s.network, s.wallet_id FROM findings f
    JOIN supplier_wallets w ON w.address = f.detail ->> 'address'
    JOIN sweeps s ON s.wallet_id = w.id AND s.state = 'completed'
    WHERE f.kind = $2 AND f.resolved_at IS NULL
), compared AS (
    SELECT l.network, w.address,
        (SELECT sum(s.amount) FROM sweeps s
            WHERE s.wallet_id = l.wallet_id AND s.network = l.network AND s.asset = 'TRX' AND s.state = 'completed') AS collected,
        coalesce((SELECT sum(t.amount) FROM incoming_transfers t JOIN deposit_addresses a ON a.id = t.address_id
            WHERE a.network = l.network AND a.address = w.address AND t.token IS NULL AND t.state <> 'reverted'), 0) AS recorded
    FROM looked_at l JOIN supplier_wallets w ON w.id = l.wallet_id
)
SELECT c.network, c.address, c.collected::text, c.recorded::text, (c.collected - c.recorded)::text AS unrecorded
FROM compared c
WHERE c.collected > c.recorded + coalesce((SELECT max((f.detail ->> 'unrecorded_minor')::numeric) FROM findings f
    WHERE f.kind = $2 AND f.subject = 'address:' || c.network || ':' || c.address AND f.resolved_by <> $3), 0)
ORDER BY c.collected - c.recorded DESC, c.address LIMIT 100
