-- Serves the choice of a wallet: which of them carry this receiver already.
CREATE INDEX CONCURRENTLY delegations_live_by_receiver ON delegations (receiver, wallet_id)
    WHERE state IN ('reserved', 'active', 'reclaiming');
