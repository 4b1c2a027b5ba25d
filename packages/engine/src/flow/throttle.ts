// Throttle: starts beyond a rate come later, none is lost. Each run takes its place in the rate when
// its first call becomes due, so events of the far future do not hold up those of today; later
// calls of a run are never throttled (protocol.md 9).
import type { EventRecord, FunctionRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { isThrottle, placedPrefix, recordKey } from "./holds.ts";
import { ruleKey } from "./key.ts";
import { reserve } from "./rate.ts";
import { flowOf } from "./rules.ts";

/** The key of the rate that a run's first call has to pass; null: none. */
export function throttleKey(fn: FunctionRecord, event: EventRecord, at: number): string | null {
  const { throttle } = flowOf(fn);
  return throttle === null ? null : ruleKey("throttle", fn.id, throttle.key, event, at);
}

/**
 * When the first call may go out by the function's rate; takes that place. `lateMs`: by how much it
 * missed the one it had. One that is missed by more than the interval of the rate is taken anew: what
 * came due while nobody ran must not start all at once.
 */
export function reserveStart(run: RunDraft, lateMs: number): number {
  const { draft } = run;
  const { holds, functionId } = run.run;
  const hold = holds.find((key) => isThrottle(key));
  if (hold === undefined) return draft.at;
  const others = holds.filter((key) => key !== hold);
  const { throttle } = flowOf(draft.state.functionById(functionId));
  const isMet =
    hold.startsWith(placedPrefix) && lateMs * (throttle?.limit ?? 1) <= (throttle?.periodMs ?? 0);
  if (throttle === null || isMet) {
    run.update({ holds: others });
    return draft.at;
  }
  const key = recordKey(hold);
  const record = draft.gateRecord(key);
  const { startAt, tat } = reserve(record?.kind === "rate" ? record.tat : 0, draft.at, throttle);
  draft.putGate({ kind: "rate", key, tat });
  run.update({ holds: startAt > draft.at ? [...others, `${placedPrefix}${key}`] : others });
  return startAt;
}
