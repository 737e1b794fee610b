DROP TABLE stock_holds;
DROP FUNCTION stock_holds_count();
