-- Places that a call in a queue keeps at gates which it has passed: how many, and for which epoch. Null: it
-- has not lost a place yet.
ALTER TABLE job ADD COLUMN kept_epoch INTEGER;
ALTER TABLE job ADD COLUMN kept_gates INTEGER;
