-- Waits for signals: the record of a name tells which job of the run waits for it.

ALTER TABLE gate ADD COLUMN job TEXT;
