-- Serves the choice of a treasury wallet: coin that left it for new accounts and that its last read does not show.
CREATE INDEX CONCURRENTLY chain_transactions_activations ON chain_transactions (wallet_id, block_number)
    WHERE intent_kind = 'activate';
