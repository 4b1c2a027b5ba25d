-- Lists of runs by each of their times, with filters answered inside the index: what a walk meets
-- and leaves out costs no look-up of its row.
DROP INDEX run_by_status;
CREATE INDEX run_by_status ON run (status, id, app);
DROP INDEX run_by_function;
CREATE INDEX run_by_function ON run (function, status, id, app);
DROP INDEX run_by_end;
CREATE INDEX run_by_end ON run (ended_at, id, status, function, app) WHERE ended_at IS NOT NULL;
CREATE INDEX run_by_start ON run (started_at, id, status, function, app) WHERE started_at IS NOT NULL;
