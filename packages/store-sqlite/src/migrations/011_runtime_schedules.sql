-- Schedules made at runtime stand beside those of triggers, and runs remember the schedule that
-- started them: its id and its line as JSON.

UPDATE schedule SET record = json_set(record, '$.kind', 'trigger');
ALTER TABLE run ADD COLUMN schedule TEXT;
