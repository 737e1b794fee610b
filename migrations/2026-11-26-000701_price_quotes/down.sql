DROP TABLE price_quotes;
DROP FUNCTION price_quotes_guard();
