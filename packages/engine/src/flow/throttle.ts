// Throttle: starts beyond a rate come later, none is lost. Each run takes its place in the rate when
// its first call becomes due, so events of the far future do not hold up those of today; later
// calls of a run are never throttled (protocol.md 9).
import type { EventRecord, FunctionRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { throttlePrefix } from "./holds.ts";
import { ruleKey } from "./key.ts";
import { reserve } from "./rate.ts";
import { flowOf } from "./rules.ts";

/** The key of the rate that a run's first call has to pass; null: none. */
export function throttleKey(fn: FunctionRecord, event: EventRecord, at: number): string | null {
  const { throttle } = flowOf(fn);
  return throttle === null ? null : ruleKey("throttle", fn.id, throttle.key, event, at);
}

/** When the first call may go out by the function's rate; takes that place. */
export function reserveStart(run: RunDraft): number {
  const { draft } = run;
  const { holds, functionId } = run.run;
  const key = holds.find((hold) => hold.startsWith(throttlePrefix));
  if (key === undefined) return draft.at;
  run.update({ holds: holds.filter((hold) => hold !== key) });
  const { throttle } = flowOf(draft.state.functionById(functionId));
  if (throttle === null) return draft.at;
  const record = draft.gateRecord(key);
  const { startAt, tat } = reserve(record?.kind === "rate" ? record.tat : 0, draft.at, throttle);
  draft.putGate({ kind: "rate", key, tat });
  return startAt;
}
