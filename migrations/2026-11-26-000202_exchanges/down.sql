DROP TABLE exchanges;
DROP FUNCTION exchanges_guard;
