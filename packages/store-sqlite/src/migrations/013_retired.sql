-- Runs that are out of sight and lose their steps, attempts and output in pieces, each a commit.

CREATE TABLE retired (
  run ANY PRIMARY KEY
) STRICT, WITHOUT ROWID;
