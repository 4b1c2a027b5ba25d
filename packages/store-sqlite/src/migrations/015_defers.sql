-- Functions that runs start when they have ended; few a run, and most runs have none.

CREATE TABLE defer (
  run ANY NOT NULL,
  id ANY NOT NULL,
  seq INTEGER NOT NULL,
  record TEXT NOT NULL,
  input TEXT NOT NULL,
  meta TEXT,
  PRIMARY KEY (run, id)
) STRICT;
