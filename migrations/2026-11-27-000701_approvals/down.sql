REVOKE INSERT ON price_versions, price_bands FROM switchyard_api;
ALTER TABLE operator_actions DROP CONSTRAINT operator_actions_approvals_reason;
DROP TABLE approvals;
DROP FUNCTION approvals_guard();
