-- Serves the audit: what was paid for an order's extensions.
CREATE INDEX CONCURRENTLY ledger_transfers_extensions ON ledger_transfers (order_id) WHERE reason = 'order_extension';
