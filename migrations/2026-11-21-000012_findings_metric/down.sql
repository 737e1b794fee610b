REVOKE UPDATE (resolved_at, resolved_by, resolved_reason) ON findings FROM switchyard_api;
ALTER TABLE findings DROP COLUMN metric, DROP COLUMN resolved_reason;
