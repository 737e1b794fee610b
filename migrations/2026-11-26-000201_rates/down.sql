ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_rates_reason;
DROP TABLE rates;
