-- A job that is asked for again after it was done gets a new row. Its pushes must not be numbered as those of the old
-- row: Redis still knows those ids and would swallow them, and the job would wait for the dispatcher. So pushes of all
-- jobs are numbered from one sequence.
CREATE SEQUENCE job_generation AS integer CYCLE;
ALTER TABLE jobs ALTER COLUMN generation SET DEFAULT nextval('job_generation');
GRANT USAGE ON SEQUENCE job_generation TO switchyard_api, switchyard_worker;
