-- Requests that the server performs for an app. They hold secrets, so they stand apart from their
-- jobs: written once, and deleted with the job, wherever that is deleted.

CREATE TABLE gateway_request (
  run ANY NOT NULL,
  job ANY NOT NULL,
  request BLOB NOT NULL,
  PRIMARY KEY (run, job)
) STRICT;

-- 8 is the flag of a job that has a request.
CREATE TRIGGER gateway_request_ends AFTER DELETE ON job WHEN old.flags & 8
BEGIN
  DELETE FROM gateway_request WHERE run = old.run AND job = old.id;
END;
