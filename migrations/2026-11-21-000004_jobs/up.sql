-- One row per thing still to be done; deleted when it is done. Redis only carries wake-ups for these rows.
CREATE TABLE jobs (
    kind text NOT NULL CHECK (kind ~ '^[a-z_]+\.[a-z_]+$'),
    -- what the job is about: an order id, a wallet id, a network's name
    object_id text NOT NULL CHECK (length(object_id) BETWEEN 1 AND 100),
    queue text NOT NULL,
    -- bumped at each push, so that a re-push is neither doubled nor swallowed
    generation integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
    -- bumped each time somebody asks for the job anew; a finished run deletes the row only at the number it began with
    request integer NOT NULL DEFAULT 0,
    runs integer NOT NULL DEFAULT 0 CHECK (runs >= 0),
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'dead')),
    next_run_at timestamptz NOT NULL,
    pushed_at timestamptz,
    started_at timestamptz,
    last_error_code text CHECK (length(last_error_code) <= 100),
    last_error text CHECK (length(last_error) <= 2000),
    dead_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (kind, object_id),
    CONSTRAINT jobs_dead_has_time CHECK ((state = 'dead') = (dead_at IS NOT NULL))
);
-- Serves the dispatcher: what is due in a queue, oldest first.
CREATE INDEX jobs_due ON jobs (queue, next_run_at) WHERE state = 'due';
-- Serves the list of dead letters.
CREATE INDEX jobs_dead ON jobs (dead_at) WHERE state = 'dead';

-- A cron tick belongs to whichever worker inserts it first.
CREATE TABLE cron_ticks (
    schedule text NOT NULL,
    tick_at timestamptz NOT NULL,
    claimed_by text NOT NULL,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (schedule, tick_at)
);
