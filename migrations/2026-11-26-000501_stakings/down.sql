ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_reason;
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_reason CHECK (
    action NOT IN ('jobs.drop', 'findings.resolve', 'payouts.approve', 'payouts.reject', 'sweeps.cancel', 'rentals.return',
        'rentals.close') OR reason IS NOT NULL);
DROP TABLE staking_events;
DROP TABLE stakings;
DROP FUNCTION stakings_guard;
ALTER TABLE chain_transactions DROP CONSTRAINT chain_transactions_intent_kind_check;
ALTER TABLE chain_transactions ADD CONSTRAINT chain_transactions_intent_kind_check
    CHECK (intent_kind IN ('delegate', 'reclaim', 'payout', 'sweep', 'activate'));
