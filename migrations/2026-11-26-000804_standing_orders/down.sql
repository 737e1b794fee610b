DROP TABLE standing_order_orders;
DROP TABLE standing_orders;
DROP FUNCTION standing_orders_guard();
