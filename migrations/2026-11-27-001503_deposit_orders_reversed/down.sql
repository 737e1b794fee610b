REVOKE UPDATE (state, reason_code, updated_at) ON deposit_orders FROM switchyard_api;
