-- Functions that start by the clock. Few, so the whole record as JSON; `due_at` repeats what is asked for.

CREATE TABLE schedule (
  id TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_by_time ON schedule (due_at);
