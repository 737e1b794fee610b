ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_reason;
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_reason CHECK (
    action NOT IN ('jobs.drop', 'findings.resolve') OR reason IS NOT NULL);
DROP INDEX chain_transactions_payouts;
DROP TABLE payout_addresses;
DROP TABLE payout_events;
DROP TABLE payouts;
DROP FUNCTION payouts_guard;
