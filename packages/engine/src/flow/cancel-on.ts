// cancelOn: events that cancel a run. Each entry is a wait without a job, found by the same index as
// those of steps, and gone with the run (protocol.md 9).
import { toJsonText } from "@pawl/protocol/json-text";
import type { Draft } from "../draft.ts";
import { cancelRun } from "../rules/finish-run.ts";
import { momentOf } from "../rules/opening.ts";
import { indexWait, matches, triggerOf } from "../rules/waits.ts";
import type { EventRecord, FunctionRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { cancelPrefix } from "./holds.ts";
import { flowOf } from "./rules.ts";
import { isPutOff } from "./slots.ts";

/** Listens for the events that cancel the run. */
export function listenForCancel(run: RunDraft, fn: FunctionRecord): void {
  const { cancel } = flowOf(fn);
  if (cancel.length === 0) return;
  const ids = cancel.map(({ event, condition, timeout }, n) => {
    const id = `${cancelPrefix}${n}`;
    const expiresAt = momentOf(run, timeout ?? { forMs: Infinity });
    indexWait(run, { id, event, expression: condition }, expiresAt);
    return id;
  });
  run.update({ holds: [...run.run.holds, ...ids] });
}

/** An event matched one of the entries. */
export function cancelByEvent(run: RunDraft, waitId: string, event: EventRecord): void {
  // The wait may have been taken back, and its id used again, since the event was matched.
  if (run.ended || !run.run.holds.includes(waitId) || belongsTo(run, event)) return;
  cancelRun(run, `event ${toJsonText(event.name)} (${event.externalId ?? event.id})`);
}

/**
 * Whether the event is one of those that the run is about: what starts a function puts off a run of it
 * that is debounced. It does not cancel it, where `cancelOn` names the trigger.
 */
function belongsTo(run: RunDraft, event: EventRecord): boolean {
  const { eventIds, functionId } = run.run;
  if (eventIds.includes(event.id)) return true;
  const triggered = run.draft.state.triggeredBy(event.name);
  return isPutOff(run) && triggered.some(({ fn }) => fn.id === functionId);
}

/**
 * Events of one request that come behind the one that started a run: the index has its waits only
 * after this decision.
 */
export function deliverToNew(draft: Draft, runs: Iterable<RunDraft>, event: EventRecord): void {
  for (const run of runs) {
    for (const wait of run.newWaits) {
      if (wait.event !== event.name || wait.expiresAt <= draft.at) continue;
      if (!matches(wait.expression, triggerOf(run), event, draft.at)) continue;
      draft.send({ type: "wait.matched", runId: run.id, jobId: wait.jobId, event });
    }
  }
}
