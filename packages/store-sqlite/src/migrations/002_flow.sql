-- Flow control: what runs keep of it, and what it remembers beyond them.

ALTER TABLE run RENAME COLUMN cancel_reason TO end_reason;
-- Lists as JSON; null for an empty one, as most are.
ALTER TABLE run ADD COLUMN gates TEXT;
ALTER TABLE run ADD COLUMN holds TEXT;
ALTER TABLE run ADD COLUMN priority_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN batch_id ANY;
ALTER TABLE run ADD COLUMN co_parents TEXT;

-- A rate has `tat` and no run, others a run and no `tat`.
CREATE TABLE gate (
  key TEXT PRIMARY KEY,
  kind INTEGER NOT NULL,
  run ANY,
  tat REAL
) STRICT, WITHOUT ROWID;
CREATE INDEX gate_by_tat ON gate (tat) WHERE tat IS NOT NULL;

-- Functions can be paused now; none is yet.
UPDATE app SET record = json_set(record, '$.functions', json((
  SELECT json_group_array(json(json_set(value, '$.pausedAt', NULL)))
  FROM json_each(record, '$.functions')
)));
