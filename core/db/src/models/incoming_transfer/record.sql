INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, token,
    from_address, to_address, address_id, amount, memo, state, kind, decided_by, decided_at, created_at, updated_at)
SELECT n.id, $1, n.txid, n.log_index, n.block_number, n.block_id, n.block_time, n.place, n.token,
    n.from_address, n.to_address, n.address_id, n.amount::numeric, n.memo, $16, $17, $18,
    CASE WHEN $18 IS NOT NULL THEN $2 END, $2, $2
FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS n (id, txid, log_index, block_number, block_id,
    block_time, place, token, from_address, to_address, address_id, amount, memo)
-- everybody writes them in one order
ORDER BY n.txid, n.log_index
ON CONFLICT (network, txid, log_index) DO UPDATE
SET state = EXCLUDED.state, kind = EXCLUDED.kind, decided_by = EXCLUDED.decided_by, decided_at = EXCLUDED.decided_at,
    reason = NULL, block_number = EXCLUDED.block_number, block_id = EXCLUDED.block_id,
    block_time = EXCLUDED.block_time, place = EXCLUDED.place, token = EXCLUDED.token,
    from_address = EXCLUDED.from_address, to_address = EXCLUDED.to_address, address_id = EXCLUDED.address_id,
    amount = EXCLUDED.amount, memo = EXCLUDED.memo, updated_at = EXCLUDED.updated_at
-- only what is to be decided: taken back by a fork, or asked for before the address was ours
WHERE EXCLUDED.state = 'seen' AND (incoming_transfers.state = 'reverted'
    OR (incoming_transfers.state = 'ignored' AND incoming_transfers.kind = 'unknown_address'))
RETURNING id
