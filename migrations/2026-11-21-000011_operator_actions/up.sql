-- What operators did by hand, written in the transaction of its effect. One row per command; never changed.
CREATE TABLE operator_actions (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    -- 'api_key:<id>', 'operator:<name>'
    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    -- the key's or the operator's name at that time
    actor_name text NOT NULL CHECK (length(actor_name) BETWEEN 1 AND 200),
    -- 'jobs.redrive', 'jobs.drop', 'stuck.redrive', 'findings.resolve'
    action text NOT NULL CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    -- what was asked for
    filter jsonb NOT NULL,
    reason text CHECK (length(reason) BETWEEN 1 AND 500),
    -- how many objects fitted, and how many of them this command changed
    matched bigint NOT NULL CHECK (matched >= 0),
    affected bigint NOT NULL CHECK (affected BETWEEN 0 AND matched),
    -- each object that was changed, as it was before
    objects jsonb NOT NULL CHECK (jsonb_typeof(objects) = 'array'),
    CONSTRAINT operator_actions_counted CHECK (jsonb_array_length(objects) = affected),
    -- what is given up is given up for a reason
    CONSTRAINT operator_actions_reason CHECK (action NOT IN ('jobs.drop', 'findings.resolve') OR reason IS NOT NULL)
);
-- Serves the question what was done to one object.
CREATE INDEX operator_actions_by_object ON operator_actions USING gin (objects jsonb_path_ops);

CREATE TRIGGER operator_actions_append_only BEFORE UPDATE OR DELETE ON operator_actions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER operator_actions_no_truncate BEFORE TRUNCATE ON operator_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON operator_actions TO switchyard_api, switchyard_worker;
