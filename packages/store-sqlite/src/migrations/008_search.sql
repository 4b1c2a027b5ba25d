-- Paths by which events are indexed although no wait has used them: people search by them.
ALTER TABLE wait_path ADD COLUMN waits INTEGER NOT NULL DEFAULT 1;
