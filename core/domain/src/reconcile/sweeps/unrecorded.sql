-- Addresses that were collected since $1, and those that a finding is open about; all that was ever collected from each, and
-- all that ever came there, credited or not. What an operator knew of is no more told, less what was recorded of it since.
WITH told AS MATERIALIZED (
    SELECT f.subject, f.detail ->> 'address' AS address, f.resolved_at IS NULL AS is_open, f.resolved_by <> $3 AS is_known,
        (f.detail ->> 'unrecorded_minor')::numeric AS unrecorded, f.last_seen_at
    FROM findings f WHERE f.kind = $2
), looked_at AS (
    SELECT s.network, s.wallet_id FROM sweeps s WHERE s.asset = 'TRX' AND s.state = 'completed' AND s.ended_at > $1
    UNION
    SELECT s.network, s.wallet_id FROM told JOIN supplier_wallets w ON w.address = told.address
    JOIN sweeps s ON s.wallet_id = w.id AND s.state = 'completed'
    WHERE told.is_open
), compared AS (
    SELECT l.network, w.address, 'address:' || l.network || ':' || w.address AS subject, a.id AS address_id,
        (SELECT sum(s.amount) FROM sweeps s
            WHERE s.wallet_id = l.wallet_id AND s.network = l.network AND s.asset = 'TRX' AND s.state = 'completed') AS collected,
        coalesce((SELECT sum(t.amount) FROM incoming_transfers t
            WHERE t.address_id = a.id AND t.token IS NULL AND t.state <> 'reverted'), 0) AS recorded
    FROM looked_at l JOIN supplier_wallets w ON w.id = l.wallet_id
    JOIN deposit_addresses a ON a.network = l.network AND a.address = w.address
), differing AS (
    SELECT c.*, EXISTS (SELECT 1 FROM told WHERE told.subject = c.subject AND told.is_open) AS is_open
    FROM compared c
    WHERE c.collected > c.recorded + greatest(0, (SELECT max(told.unrecorded - coalesce((SELECT sum(t.amount) FROM incoming_transfers t
            WHERE t.address_id = c.address_id AND t.token IS NULL AND t.state <> 'reverted'
                AND t.created_at > told.last_seen_at AND t.block_time <= told.last_seen_at), 0))
        FROM told WHERE told.subject = c.subject AND told.is_known))
)
-- those that nobody was told of yet take turns, the most first: they are open at the next look
SELECT d.network, d.address, d.collected::text, d.recorded::text, (d.collected - d.recorded)::text AS unrecorded
FROM (SELECT *, row_number() OVER (PARTITION BY is_open ORDER BY collected - recorded DESC, address) AS place FROM differing) d
WHERE d.is_open OR d.place <= 100
ORDER BY d.address
