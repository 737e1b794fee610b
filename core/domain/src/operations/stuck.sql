-- Everything that waits longer than it should, with the job that moves it. $1: the time of the workers' clock. Rentals
-- are judged by the chain's clock, and whether a network is heard of by the database's.
SELECT s.kind, s.object_id, s.state, s.since, s.reason, s.network, s.job_kind, s.job_object_id, j.standing AS job_state,
    j.last_error_code AS job_code
FROM (
    SELECT 'order' AS kind, id::text AS object_id, state, deadline_at AS since, reason_code AS reason, network,
        CASE WHEN lacks THEN 'orders.delegate' ELSE 'chain.resend_transactions' END AS job_kind,
        CASE WHEN lacks THEN id::text ELSE network END AS job_object_id
    FROM (SELECT o.*, o.state = 'pending' OR o.energy > (SELECT coalesce(sum(d.energy), 0) FROM delegations d
            WHERE d.order_id = o.id AND d.state <> 'released' AND NOT d.stray) AS lacks
        FROM orders o WHERE o.state IN ('pending', 'processing') AND o.deadline_at < $1 - interval '1 minute') o
    UNION ALL
    SELECT 'transaction', txid, state, created_at, last_code, network, 'chain.resend_transactions', network
    FROM chain_transactions WHERE state IN ('signed', 'sent') AND created_at < $1 - interval '10 minutes'
    UNION ALL
    SELECT 'transaction', txid, state, updated_at, outcome, network, 'chain.settle_final', network
    FROM chain_transactions WHERE state = 'included' AND updated_at < $1 - interval '10 minutes'
    UNION ALL
    SELECT 'delegation', d.id::text, d.state, d.ends_at, NULL, d.network,
        CASE d.state WHEN 'active' THEN 'delegations.reclaim' ELSE 'chain.resend_transactions' END,
        CASE d.state WHEN 'active' THEN d.id::text ELSE d.network END
    FROM delegations d JOIN chain_cursors c ON c.network = d.network
    WHERE d.state IN ('active', 'reclaiming') AND d.ends_at < c.head_time - interval '5 minutes'
    UNION ALL
    SELECT 'payout', id::text, state, created_at, NULL, network, NULL, NULL
    FROM payouts WHERE state = 'requested' AND created_at < $1 - interval '1 hour'
    UNION ALL
    SELECT 'payout', id::text, state, approved_at, reason_code, network,
        CASE state WHEN 'approved' THEN 'payouts.send' WHEN 'sent' THEN 'chain.settle_final'
            ELSE 'chain.resend_transactions' END,
        CASE state WHEN 'approved' THEN id::text ELSE network END
    FROM payouts WHERE state IN ('approved', 'processing', 'sent') AND approved_at < $1 - interval '15 minutes'
    UNION ALL
    SELECT 'sweep', id::text, state, created_at, reason_code, network,
        CASE WHEN state IN ('planned', 'renting') THEN 'deposits.sweep' WHEN state = 'sent' THEN 'chain.settle_final'
            ELSE 'chain.resend_transactions' END,
        CASE WHEN state IN ('planned', 'renting') THEN id::text ELSE network END
    FROM sweeps WHERE state IN ('planned', 'activating', 'renting', 'processing', 'sent')
        AND created_at < $1 - interval '1 hour' AND reason_code IS DISTINCT FROM 'bandwidth_short'
    UNION ALL
    SELECT 'rental', r.transfer_id::text, r.state, r.updated_at, coalesce(r.held_code, r.reason_code), t.network,
        CASE WHEN r.state <> 'held' THEN 'deposits.rent' END, CASE WHEN r.state <> 'held' THEN r.transfer_id::text END
    FROM rentals r JOIN incoming_transfers t ON t.id = r.transfer_id
    WHERE r.state = 'held' OR (r.state IN ('waiting', 'placed', 'returning') AND r.updated_at < $1 - interval '2 hours')
    UNION ALL
    SELECT 'staking', id::text, state, created_at, reason_code, network,
        CASE state WHEN 'requested' THEN 'wallets.stake' WHEN 'sent' THEN 'chain.settle_final'
            ELSE 'chain.resend_transactions' END,
        CASE state WHEN 'requested' THEN id::text ELSE network END
    FROM stakings WHERE state IN ('requested', 'processing', 'sent') AND created_at < $1 - interval '1 hour'
    UNION ALL
    SELECT 'wallet', id::text, 'importing', created_at, NULL, NULL, 'wallets.import', id::text
    FROM supplier_wallets WHERE state = 'importing' AND created_at < $1 - interval '5 minutes'
    UNION ALL
    SELECT 'wallet', id::text, 'rejected', updated_at, rejected_reason, NULL, NULL, NULL
    FROM supplier_wallets WHERE state = 'rejected' AND updated_at > $1 - interval '7 days'
    UNION ALL
    SELECT 'wallet', id::text, 'isolated', isolated_at, isolated_reason, NULL, 'wallets.sync', id::text
    FROM supplier_wallets WHERE state = 'active' AND isolated_at IS NOT NULL
    UNION ALL
    SELECT 'wallet', id::text, 'unread', coalesce(synced_at, created_at), NULL, NULL, 'wallets.sync', id::text
    FROM supplier_wallets
    WHERE state = 'active' AND purpose <> 'deposit' AND isolated_at IS NULL AND coalesce(synced_at, created_at) < $1 - interval '30 minutes'
    UNION ALL
    SELECT 'network', network, 'halted', halted_at, halted_reason, network, NULL, NULL
    FROM chain_cursors WHERE halted_at IS NOT NULL
    UNION ALL
    SELECT 'network', network, 'unheard', updated_at, NULL, network, NULL, NULL
    FROM chain_cursors WHERE halted_at IS NULL AND updated_at < now() - interval '1 minute'
    UNION ALL
    SELECT 'network', network, 'behind', head_time, (tip_number - head_number) || ' blocks', network, NULL, NULL
    FROM chain_cursors
    WHERE halted_at IS NULL AND updated_at >= now() - interval '1 minute' AND tip_number - head_number > 20
) s
LEFT JOIN LATERAL (SELECT last_error_code,
        CASE WHEN state = 'dead' THEN 'dead' WHEN started_at IS NOT NULL THEN 'running'
            WHEN next_run_at <= $1 THEN 'due' ELSE 'later' END AS standing
    FROM jobs WHERE kind = s.job_kind AND object_id = s.job_object_id) j ON true
WHERE ($2 IS NULL OR s.kind = $2) AND ($3 IS NULL OR s.object_id = $3) AND ($4 IS NULL OR s.state = $4)
    AND ($5 IS NULL OR s.network = $5)
