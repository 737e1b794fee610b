-- The order in which events can be read without missing one: by the number of the transaction that wrote them. All below the
-- smallest number that is still running have ended, whatever time they began at.
ALTER TABLE events
    ADD COLUMN xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX events_in_order ON events (xact, place);

-- Old events go: they are written whether or not anybody asked to be told.
DROP TRIGGER events_append_only ON events;
CREATE TRIGGER events_unchanged BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
GRANT DELETE ON events TO switchyard_worker;
-- Serves the question whether a message about an event is kept.
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);

-- The largest number of a transaction whose events went: who read no further has missed something.
CREATE TABLE events_gone (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    xact bigint NOT NULL
);
INSERT INTO events_gone (xact) VALUES (0);
GRANT SELECT ON events_gone TO switchyard_api, switchyard_worker;
GRANT UPDATE (xact) ON events_gone TO switchyard_worker;
