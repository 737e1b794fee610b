DROP INDEX CONCURRENTLY rentals_by_sender;
