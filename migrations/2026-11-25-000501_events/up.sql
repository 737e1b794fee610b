-- What happened, for those outside who want to know: written in the transaction of its cause, never changed. Kept from the
-- registration of the first webhook endpoint on; before it nobody could be told.
CREATE TABLE events (
    id uuid PRIMARY KEY,
    event_type text NOT NULL CHECK (event_type ~ '^[a-z_]+\.[a-z_]+$'),
    -- what it is about: 'order', 'deposit', 'payout', 'webhook'
    subject_kind text NOT NULL CHECK (subject_kind ~ '^[a-z_]{1,40}$'),
    subject_id text NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 100),
    -- the customer, where there is one; no foreign key: money may come before its owner is known
    user_id bigint,
    -- what the receiver is told, as it was at that moment
    data jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    created_at timestamptz NOT NULL
);
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON events TO switchyard_api, switchyard_worker;
