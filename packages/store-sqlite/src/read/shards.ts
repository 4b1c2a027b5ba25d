// Narrowing a question to shards. A question about all of them stays the text it was, so that
// nobody pays for what only several processes need.

interface InShards {
  readonly shards: readonly number[] | null;
}

/** The condition on the column `shard`, to follow others; nothing when all shards are meant. */
export function inShards({ shards }: InShards): string {
  return shards === null ? "" : " AND shard IN (SELECT value FROM json_each(?))";
}

/** The values of the condition. */
export function shardValues({ shards }: InShards): readonly string[] {
  return shards === null ? [] : [JSON.stringify(shards)];
}
