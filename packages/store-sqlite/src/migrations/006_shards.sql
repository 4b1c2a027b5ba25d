-- What waits to be done lies in the shard of its entity: a process takes what is in its shards. The
-- functions are given by migrate.ts. No index begins with the shard: the embedded store is asked for
-- all of them, in the orders there are.

ALTER TABLE job ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
UPDATE job SET shard = shard_of(run);
ALTER TABLE mail ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
UPDATE mail SET shard = shard_of_message(message);
