// How stores order what has no time of its own. Text compares by UTF-16 code unit, which for the
// ids in use (ULIDs, hashes, ASCII names) is also the order of bytes.
import { encodeUlid } from "@pawl/protocol/ulid";
import type { EventRecord, WaitPosition } from "@pawl/engine/records";

/** Negative, zero or positive, as `a` comes before, with or after `b`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Orders by run, then by job: the order of waits under one key, and of lost calls. */
export function comparePositions(a: WaitPosition, b: WaitPosition): number {
  return compareText(a.runId, b.runId) || compareText(a.jobId, b.jobId);
}

/** What places an event among others. */
export type Arrival = Pick<EventRecord, "receivedAt" | "id">;

/** Orders events by arrival; of the same ms by id. */
export function compareArrivals(a: Arrival, b: Arrival): number {
  return a.receivedAt - b.receivedAt || compareText(a.id, b.id);
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * Where a page of events goes on when the event it ended with is gone: the time in its ULID. An
 * id that is no ULID places itself before everything.
 */
export function arrivalFromId(id: string): Arrival {
  let receivedAt = id.length === 26 ? 0 : -1;
  for (let i = 0; i < 10 && receivedAt >= 0; i++) {
    const digit = crockford.indexOf(id.charAt(i));
    receivedAt = digit < 0 ? -1 : receivedAt * 32 + digit;
  }
  return { receivedAt, id };
}

const ulidTimeMax = 2 ** 48 - 1;

/** The first id of this ms: where a window over times begins among ids. */
export function idFromTime(at: number): string {
  return encodeUlid(Math.min(Math.max(Math.trunc(at), 0), ulidTimeMax), 0, 0, 0);
}
