-- Spans of user code that apps send about their runs. Written once, read a run at a time.
CREATE TABLE user_span (
  run ANY NOT NULL,
  id ANY NOT NULL,
  started_us INTEGER NOT NULL,
  -- The span without its details, as JSON.
  head TEXT NOT NULL,
  details TEXT NOT NULL,
  PRIMARY KEY (run, id)
) STRICT;
