-- Settings that operators change while everything runs. Each row is a whole: all values that lie over the configuration from then
-- on. The newest is in force; to go back is to write an earlier one's values once more.
CREATE TABLE setting_versions (
    -- one more than the version that its author saw: of two who change at once, one finds it taken
    version bigint PRIMARY KEY CHECK (version > 0),
    -- what the mark of the request points to
    id uuid NOT NULL UNIQUE,
    -- by the settings' names
    overrides jsonb NOT NULL CHECK (jsonb_typeof(overrides) = 'object'),
    -- for each of them, the version that gave it this value
    since jsonb NOT NULL CHECK (jsonb_typeof(since) = 'object'),
    -- 'operator:<id or name>', and the name at that time
    author text NOT NULL CHECK (length(author) BETWEEN 1 AND 200),
    author_name text NOT NULL CHECK (length(author_name) BETWEEN 1 AND 200),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    -- the version that this one went back to; 0: the configuration alone
    restored bigint CHECK (restored BETWEEN 0 AND version - 1),
    created_at timestamptz NOT NULL
);

CREATE TRIGGER setting_versions_append_only BEFORE UPDATE OR DELETE ON setting_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER setting_versions_no_truncate BEFORE TRUNCATE ON setting_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON setting_versions TO switchyard_api, switchyard_worker;
