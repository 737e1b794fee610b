-- Serves the bound on what waits of one who asks.
CREATE INDEX CONCURRENTLY approvals_by_asker ON approvals (requested_by) WHERE state = 'open';
