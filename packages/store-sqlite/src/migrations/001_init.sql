-- Times are integer ms since the epoch. Ids in the form of a ULID are blobs of 16 bytes, hashes in
-- hex are blobs of half their length, other ids are text (codec.ts). Names that come again and
-- again (events, functions, apps, paths) are numbers of rows in `word`.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE word (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

-- Few and cold: the whole record as JSON.
CREATE TABLE app (
  id TEXT PRIMARY KEY,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Written once, in order of arrival. `keys` repeats the rows in `event_key` (JSON: path, hash, …),
-- so that deleting an event finds them without an index.
CREATE TABLE event (
  id ANY PRIMARY KEY,
  name INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  external_id TEXT,
  user TEXT,
  version TEXT,
  meta TEXT,
  keys TEXT,
  data TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX event_by_arrival ON event (received_at);
CREATE INDEX event_by_name ON event (name, received_at);

-- Events by a value in them, for waits that look back.
CREATE TABLE event_key (
  name INTEGER NOT NULL,
  path INTEGER NOT NULL,
  hash ANY NOT NULL,
  received_at INTEGER NOT NULL,
  event ANY NOT NULL,
  PRIMARY KEY (name, path, hash, received_at, event)
) STRICT, WITHOUT ROWID;

-- Events that no run refers to: what retention may take.
CREATE TABLE event_free (
  received_at INTEGER NOT NULL,
  event ANY NOT NULL,
  PRIMARY KEY (received_at, event)
) STRICT, WITHOUT ROWID;

-- Hot: rewritten whenever the run goes on, so nothing large is in it.
CREATE TABLE run (
  id ANY PRIMARY KEY,
  status INTEGER NOT NULL,
  function INTEGER NOT NULL,
  app INTEGER NOT NULL,
  function_version INTEGER NOT NULL,
  event_ids ANY NOT NULL,
  event_name INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  request_version INTEGER NOT NULL,
  force_plan INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  idle_discoveries INTEGER NOT NULL,
  parent_run ANY,
  parent_job ANY,
  original_run ANY,
  cancel_reason TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_status ON run (status);
CREATE INDEX run_by_function ON run (function, status);
CREATE INDEX run_by_end ON run (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE run_event (
  event ANY NOT NULL,
  run ANY NOT NULL,
  PRIMARY KEY (event, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE output (
  run ANY PRIMARY KEY,
  output TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Appended at the end of one table, so that a batch of steps of many runs fills few pages.
CREATE TABLE step (
  place INTEGER PRIMARY KEY,
  run ANY NOT NULL,
  id ANY NOT NULL,
  seq INTEGER NOT NULL,
  op INTEGER NOT NULL,
  display_name TEXT NOT NULL,
  user_id TEXT,
  user_index INTEGER NOT NULL,
  step_type TEXT,
  failed INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  opts TEXT,
  memo TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX step_by_run ON step (run, id);

CREATE TABLE attempt (
  run ANY NOT NULL,
  started_at INTEGER NOT NULL,
  step TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  display_name TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  error TEXT NOT NULL,
  retry_at INTEGER,
  PRIMARY KEY (run, started_at, step, attempt)
) STRICT, WITHOUT ROWID;

-- Hot. A job is in exactly one of three orders: by `timer_at`, in the queue of `gate`, or leased
-- by `epoch`; the other columns of those are null.
CREATE TABLE job (
  run ANY NOT NULL,
  id ANY NOT NULL,
  kind INTEGER NOT NULL,
  timer_at INTEGER,
  gate TEXT,
  queued_since INTEGER,
  epoch INTEGER,
  lease_until INTEGER,
  generation INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  attempts_max INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  target ANY,
  display_name TEXT NOT NULL,
  user_id TEXT,
  user_index INTEGER NOT NULL,
  step_type TEXT,
  subject TEXT,
  expression TEXT,
  child_run ANY,
  opts TEXT,
  PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_timer ON job (timer_at) WHERE timer_at IS NOT NULL;
CREATE INDEX job_queue ON job (gate, queued_since) WHERE gate IS NOT NULL;
CREATE INDEX job_leased ON job (epoch) WHERE epoch IS NOT NULL;

-- Path 0 and an empty hash: a wait without a key. Jobs are text here, because waits under one key
-- are paged in the order of that text.
CREATE TABLE wait (
  event INTEGER NOT NULL,
  path INTEGER NOT NULL,
  hash ANY NOT NULL,
  run ANY NOT NULL,
  job TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  expression TEXT,
  trigger TEXT NOT NULL,
  PRIMARY KEY (event, path, hash, run, job)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX wait_by_run ON wait (run, job);

CREATE TABLE wait_path (
  event TEXT NOT NULL,
  path TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (event, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  run ANY NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_end ON idempotency (expires_at);

CREATE TABLE mail (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  message TEXT NOT NULL
) STRICT;
