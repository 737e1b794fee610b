DROP INDEX CONCURRENTLY audit_trail_in_time;
