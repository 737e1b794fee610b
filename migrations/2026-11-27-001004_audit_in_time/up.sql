-- Serves the list and the export of the audit trail narrowed to a time: it grows for good, and its lines lie nearly in that order.
CREATE INDEX CONCURRENTLY audit_trail_in_time ON audit_trail USING brin (at);
