-- How much is where, as far as it is not at an end: what it is, its state, how many, and how many sun.
SELECT 'orders' AS what, state, count(*) AS count, sum(price_sun)::float8 AS sun
FROM orders WHERE state IN ('pending', 'processing') GROUP BY state
UNION ALL
SELECT 'orders', 'unsettled', count(*), coalesce(sum(price_sun), 0)::float8
FROM orders WHERE state = 'completed' AND settled_at IS NULL
UNION ALL
SELECT 'delegations', state, count(*), sum(amount_sun)::float8
FROM delegations WHERE state IN ('reserved', 'active', 'reclaiming') GROUP BY state
UNION ALL
SELECT 'transactions', state, count(*), 0 FROM chain_transactions WHERE state IN ('signed', 'sent') GROUP BY state
UNION ALL
SELECT 'transactions', 'included', count(*), 0 FROM chain_transactions WHERE state = 'included'
UNION ALL
SELECT 'wallets', CASE WHEN state <> 'active' THEN state WHEN isolated_at IS NOT NULL THEN 'isolated'
    WHEN enabled THEN 'enabled' ELSE 'disabled' END, count(*), 0
FROM supplier_wallets WHERE purpose <> 'deposit' GROUP BY 2
UNION ALL
SELECT 'payouts', state, count(*), 0 FROM payouts WHERE state IN ('requested', 'approved', 'processing', 'sent') GROUP BY state
UNION ALL
SELECT 'sweeps', state, count(*), 0 FROM sweeps
WHERE state IN ('planned', 'activating', 'renting', 'processing', 'sent') GROUP BY state
UNION ALL
SELECT 'rentals', state, count(*), sum(amount_sun)::float8 FROM rentals
WHERE state IN ('waiting', 'placed', 'returning', 'held') GROUP BY state
UNION ALL
SELECT 'stakings', state, count(*), 0 FROM stakings WHERE state IN ('requested', 'processing', 'sent') GROUP BY state
UNION ALL
SELECT 'treasury', asset, count, coalesce(minor, 0)::float8
FROM (SELECT count(*) AS count, sum(balance_sun) AS sun, sum(usdt_micro) AS usdt
    FROM supplier_wallets WHERE state = 'active' AND enabled AND isolated_at IS NULL AND purpose = 'treasury') t
CROSS JOIN LATERAL (VALUES ('TRX', sun), ('USDT', usdt)) assets (asset, minor)
UNION ALL
SELECT 'stake', part, count, coalesce(sun, 0)::float8
FROM (SELECT count(*) AS count, sum(staked_energy_sun) AS staked, sum(delegated_energy_sun) AS delegated,
        sum(delegatable_sun) AS delegatable, sum(reserved_sun) AS reserved
    FROM supplier_wallets WHERE state = 'active' AND purpose = 'supply') w
CROSS JOIN LATERAL (VALUES ('staked', staked), ('delegated', delegated), ('delegatable', delegatable),
    ('reserved', reserved)) parts (part, sun)
UNION ALL
SELECT 'keys', CASE WHEN p.wallet_id IS NULL THEN 'unread' WHEN p.problem IS NOT NULL THEN 'cannot_sign'
    WHEN p.moves_money <> '[]' THEN 'moves_money' ELSE 'limited' END, count(DISTINCT w.id), 0
FROM supplier_wallets w LEFT JOIN wallet_permissions p ON p.wallet_id = w.id
WHERE w.state = 'active' AND w.purpose = 'supply' GROUP BY 2
