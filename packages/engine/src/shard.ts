// Shards: which entity a command is about, and the shard that the entity lies in. A process that
// owns a shard is the only one that decides commands of its entities. It must not know who owns
// what, nor how ownership moves.
import type { Command } from "./commands.ts";
import { signalKey } from "./waits/signal.ts";

/**
 * Shards of a database. No setting, because stored rows carry their shard: it is fixed for the
 * life of every database, and bounds how many processes can share one.
 */
export const shardCount = 64;

type Without<C> = C extends unknown ? Omit<C, "at" | "seed"> : never;
/** A command with or without its time and seed, on which nothing here depends. */
type Unstamped = Without<Command>;

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/** The hash of a text so far, one UTF-16 unit further (FNV-1a, 32 bits). */
export function hashUnit(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, fnvPrime);
}

/** The hash of a text; see `shardOfHash`. */
export function hashText(text: string): number {
  let hash = fnvOffset;
  for (let at = 0; at < text.length; at++) hash = hashUnit(hash, text.charCodeAt(at));
  return hash;
}

/** The shard that a hash stands for; the last bits of FNV-1a alone would be uneven. */
export function shardOfHash(hash: number, count: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((mixed ^ (mixed >>> 13)) >>> 0) % count;
}

/**
 * The shard of an entity, from 0. The same for ever: rows of every database hold it. FNV-1a over
 * the UTF-16 units of the key, mixed once.
 */
export function shardOf(key: string, count: number = shardCount): number {
  return shardOfHash(hashText(key), count);
}

/** Apps are few and change rarely, and a sync writes their schedules: one shard has them all. */
const appsKey = "apps";
/** Forgetting goes over all shards; one process does it. */
const retentionKey = "retention";
/** Bulk actions go over all shards, too. */
const bulkKey = "bulk";

/**
 * The key of the entity in whose shard a command is decided. Null: in any, it makes what nobody
 * else knows yet. `SPEC.md` has the table and what follows from it.
 */
export function entityKey(command: Unstamped): string | null {
  switch (command.type) {
    case "call.answered":
    case "call.lost":
    case "call.admitted":
    case "checkpoint.received":
    case "endpoint.called":
    case "endpoint.progressed":
    case "timer.due":
    case "wait.matched":
    case "child.ended":
    case "child.joined":
    case "parent.cancelled":
    case "run.cancelled":
    case "run.repaired":
    case "metadata.received":
    case "spans.received":
      return command.runId;
    case "run.rerun":
      return command.gate ?? command.runId;
    case "run.triggered":
      return command.gate;
    case "run.invoked":
      return command.newRunId;
    case "events.received":
      return command.events[0]?.id ?? null;
    case "waits.continued":
      return command.event.id;
    case "signal.sent":
      return signalKey(command.signal);
    case "schedule.due":
    case "schedule.set":
    case "schedule.changed":
    case "schedule.removed":
    case "schedule.paused":
    case "schedule.resumed":
    case "schedule.triggered":
    case "schedule.runEnded":
    case "app.synced":
    case "endpoint.registered":
    case "app.syncFailed":
    case "app.removed":
    case "function.paused":
    case "function.resumed":
    case "function.limited":
    case "paths.indexed":
      return appsKey;
    case "retention.due":
      return retentionKey;
    case "bulk.created":
    case "bulk.progressed":
    case "bulk.stopped":
    case "bulk.removed":
      return bulkKey;
  }
}

/** The shard of all apps and schedules. */
export const appsShard = shardOf(appsKey);
/** The shard in which `retention.due` is decided. */
export const retentionShard = shardOf(retentionKey);
/** The shard of all bulk actions. */
export const bulkShard = shardOf(bulkKey);

/** The shard whose mailbox a message is put into. */
export function shardOfMessage(message: Unstamped): number {
  return shardOf(entityKey(message) ?? "");
}

/** The shards that a process owns; null: all of them. */
export type OwnedShards = ReadonlySet<number> | null;

/** Whether the shard of a run is among them. */
export function ownsRun({ owned }: { readonly owned: OwnedShards }, runId: string): boolean {
  return owned === null || owned.has(shardOf(runId));
}

/** Whether a shard is among them. */
export function owns(owned: OwnedShards, shard: number): boolean {
  return owned === null || owned.has(shard);
}
