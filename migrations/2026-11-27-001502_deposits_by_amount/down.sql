DROP INDEX CONCURRENTLY deposits_by_amount;
