-- Differences that a reconciler found and conditions that wait for an operator.
CREATE TABLE findings (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind ~ '^[a-z_]+\.[a-z_]+$'),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    -- what it is about: 'wallet:<id>', 'network:<name>', 'account:<code>'
    subject text NOT NULL CHECK (length(subject) <= 200),
    detail jsonb NOT NULL DEFAULT '{}',
    -- what an operator does about it
    action text NOT NULL CHECK (length(action) <= 500),
    times_seen integer NOT NULL DEFAULT 1 CHECK (times_seen > 0),
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text CHECK (length(resolved_by) <= 200)
);
-- An open finding is one row, however often it is seen.
CREATE UNIQUE INDEX findings_open ON findings (kind, subject) WHERE resolved_at IS NULL;

-- Switches that operators throw at run time, e.g. 'maintenance'.
CREATE TABLE switches (
    name text PRIMARY KEY CHECK (name ~ '^[a-z_]{1,40}$'),
    enabled boolean NOT NULL,
    reason text NOT NULL CHECK (length(reason) <= 500),
    actor text NOT NULL CHECK (length(actor) <= 200),
    updated_at timestamptz NOT NULL
);
