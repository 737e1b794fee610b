ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_order_fk;
DROP TABLE delegations, order_events, orders;
DROP FUNCTION orders_guard(), delegations_guard();
