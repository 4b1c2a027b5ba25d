-- What retention weighs. An ended run has the bytes and the number of records that it is to be
-- counted for (packages/store/src/retained.ts); while it goes on both are null.
ALTER TABLE run ADD COLUMN bytes INTEGER;
ALTER TABLE run ADD COLUMN records INTEGER;

-- How many there are of each kind, kept with every commit, so that nobody has to count.
CREATE TABLE retained (
  kind TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE run SET
  records = 1 + (SELECT count(*) FROM step WHERE run = run.id)
    + (SELECT count(*) FROM attempt WHERE run = run.id) + (SELECT count(*) FROM output WHERE run = run.id)
WHERE ended_at IS NOT NULL AND status > 1;
UPDATE run SET
  bytes = 200 * records
    + (SELECT coalesce(sum(octet_length(memo) + coalesce(octet_length(opts), 0)), 0) FROM step WHERE run = run.id)
    + (SELECT coalesce(sum(octet_length(error)), 0) FROM attempt WHERE run = run.id)
    + (SELECT coalesce(sum(octet_length(output)), 0) FROM output WHERE run = run.id)
WHERE records IS NOT NULL;

-- The oldest of a status first, with what they weigh.
CREATE INDEX run_by_age ON run (status, ended_at, id, bytes, records) WHERE bytes IS NOT NULL;

INSERT INTO retained VALUES ('completed', 0, 0), ('failed', 0, 0), ('cancelled', 0, 0), ('skipped', 0, 0), ('events', 0, 0);
UPDATE retained SET count = sums.count, bytes = sums.bytes FROM (
  SELECT CASE status WHEN 2 THEN 'completed' WHEN 3 THEN 'failed' WHEN 4 THEN 'cancelled' ELSE 'skipped' END AS kind,
    count(*) AS count, sum(bytes) AS bytes
  FROM run WHERE bytes IS NOT NULL GROUP BY status
) AS sums WHERE retained.kind = sums.kind;
UPDATE retained SET
  count = (SELECT count(*) FROM event),
  bytes = (SELECT coalesce(sum(200 + octet_length(data) + coalesce(octet_length(user), 0) + coalesce(octet_length(meta), 0)), 0) FROM event)
WHERE kind = 'events';
