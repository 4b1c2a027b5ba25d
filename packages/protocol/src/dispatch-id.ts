// The id of one dispatch of a call (`x-request-id`, protocol.md 2.7.7): an app echoes it in its
// checkpoints, and only the current one is believed. Derived, so that nothing has to be stored.
import { sha1Hex } from "./sha1.ts";
import { encodeUlid, ulidTime } from "./ulid.ts";

/**
 * A ULID that is a function of run, job and generation alone; its time part is the run's. Throws
 * `ulid_invalid` when the run id is no ULID.
 */
export function dispatchId(runId: string, jobId: string, generation: number): string {
  const hash = sha1Hex(`${runId}\n${jobId}\n${generation}`);
  return encodeUlid(ulidTime(runId), bits(hash, 0, 4), bits(hash, 4, 12), bits(hash, 12, 20));
}

function bits(hex: string, from: number, to: number): number {
  return Number.parseInt(hex.slice(from, to), 16);
}
