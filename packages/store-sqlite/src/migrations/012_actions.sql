-- What people do to runs: cancel them with those they invoked, start them again, both for many at once.

-- What becomes of the run when its invoker is cancelled; null: it goes on, as all did before.
ALTER TABLE run ADD COLUMN parent_on_cancel INTEGER;
-- Edited arguments of a call's step.
ALTER TABLE job ADD COLUMN input TEXT;

-- Few, so the whole record as JSON.
CREATE TABLE bulk (
  id TEXT PRIMARY KEY,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
