DROP TABLE deposit_orders;
DROP FUNCTION deposit_orders_guard();
