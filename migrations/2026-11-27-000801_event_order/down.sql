DROP TABLE events_gone;
DROP INDEX webhook_deliveries_by_event;
REVOKE DELETE ON events FROM switchyard_worker;
DROP TRIGGER events_unchanged ON events;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE events DROP COLUMN place, DROP COLUMN xact;
