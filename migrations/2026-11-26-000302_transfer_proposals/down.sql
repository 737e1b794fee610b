REVOKE UPDATE (state, received, paid_at, updated_at) ON deposits FROM switchyard_api;
DROP TABLE transfer_proposals;
DROP FUNCTION transfer_proposals_guard();
