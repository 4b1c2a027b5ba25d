// An event is taken in: stored, it starts the functions it triggers, and reaches the runs that wait.
// Whoever brings it (senders, a schedule) makes no difference.
import { compileExpression } from "../expression/compile.ts";
import type { Draft } from "../draft.ts";
import { ExpressionError } from "../expression/expression-error.ts";
import { eventValue } from "../event-value.ts";
import { deliverToNew } from "../flow/cancel-on.ts";
import { trigger, type Triggering } from "../flow/start.ts";
import type { EventRecord } from "../records.ts";
import type { RunOrigin } from "../schedule-records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { Triggered } from "../state/view.ts";
import { deliver, indexKeys, keysOf } from "./waits.ts";

/**
 * Takes in one event; returns the ids of the runs that it started or joined, here or elsewhere.
 * `started` gathers those of all events of one command, so that the later ones can reach them.
 */
export function takeEvent(
  draft: Draft,
  event: EventRecord,
  started: Set<RunDraft>,
  origin: RunOrigin | null = null,
): readonly string[] {
  draft.write({ type: "event.put", event, keys: indexKeys(draft.state, event) });
  deliverToNew(draft, started, event);
  const runIds: string[] = [];
  for (const { run, runId } of startTriggered(draft, event, origin)) {
    if (run !== null) started.add(run);
    if (runId !== null) runIds.push(runId);
  }
  for (const key of keysOf(draft.state, event)) deliver(draft, event, key, null);
  return runIds;
}

function startTriggered(
  draft: Draft,
  event: EventRecord,
  origin: RunOrigin | null,
): readonly Triggering[] {
  const starts: Triggering[] = [];
  const seen = new Set<string>();
  for (const triggered of draft.state.triggeredBy(event.name)) {
    const { fn } = triggered;
    // Several triggers of one function may match: the event still starts it once.
    if (seen.has(fn.id) || !applies(triggered, event, draft.at)) continue;
    seen.add(fn.id);
    starts.push(trigger(draft, fn, event, origin));
  }
  return starts;
}

function applies({ trigger }: Triggered, event: EventRecord, at: number): boolean {
  if (trigger.expression === null) return true;
  try {
    return compileExpression(trigger.expression).test({ event: eventValue(event) }, at);
  } catch (error) {
    // Refused at sync; a registration of before must not keep the event from other functions.
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
