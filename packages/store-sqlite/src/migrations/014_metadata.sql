-- What is noted about runs, one row for each kind of metadata of each subject: the run (no step), a step,
-- an attempt of it, a span. What is absent is '' or, for attempts, -1: the key knows no null.
CREATE TABLE metadata (
  run ANY NOT NULL,
  scope INTEGER NOT NULL,
  step ANY NOT NULL,
  attempt INTEGER NOT NULL,
  span TEXT NOT NULL,
  kind TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, scope, step, attempt, span, kind)
) STRICT, WITHOUT ROWID;
