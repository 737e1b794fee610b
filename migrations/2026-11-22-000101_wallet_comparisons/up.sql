-- How far the comparison of what a wallet lends with our books has come: receiver by receiver, in rounds.
CREATE TABLE wallet_comparisons (
    network text NOT NULL REFERENCES chain_cursors (network),
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    -- receivers up to this one are compared in the present round; null between rounds
    after_receiver text,
    -- when the last whole round ended; null before the first
    finished_at timestamptz,
    PRIMARY KEY (network, wallet_id)
);
GRANT SELECT ON wallet_comparisons TO switchyard_api, switchyard_worker;
GRANT INSERT, UPDATE ON wallet_comparisons TO switchyard_worker;

-- Serves every comparison of a wallet's delegated stake: what was undone lately may still be in a node's answer.
CREATE INDEX delegations_undone ON delegations (wallet_id, reclaim_block_number) WHERE state = 'reclaimed';
