// Forgetting: a small step at a time, so that it never delays the others. What is larger than a step
// is retired, which takes it out of sight at once, and then goes in pieces before any other run.
import type { RetentionDue } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";

export function retentionDue(state: StateView, command: RetentionDue): Decision {
  const draft = new Draft(state, command);
  const { limit } = command;
  const gone = forgetRuns(draft, state, command);
  const keys = state.expiredKeys({ kind: "expiredKeys", at: draft.at, limit });
  for (const key of keys) draft.write({ type: "idempotency.delete", key });
  const rates = state.expiredKeys({ kind: "expiredRates", at: draft.at, limit });
  for (const key of rates) draft.deleteGate(key);
  const value = {
    type: "removed",
    runs: gone.runs,
    events: gone.events,
    keys: keys.length,
    rates: rates.length,
    hasMore: gone.hasMore || keys.length === limit || rates.length === limit,
  } as const;
  return draft.decide({ ok: true, value });
}

/** Runs and events. A run counts when it goes out of sight, not when the last of its parts does. */
function forgetRuns(
  draft: Draft,
  state: StateView,
  { bounds, limit, limitBytes }: RetentionDue,
): { readonly runs: number; readonly events: number; readonly hasMore: boolean } {
  const found = state.expired({ kind: "expired", bounds, limit, limitBytes });
  const { retiredId, eventIds } = found;
  const [runIds, largeRunIds] = retiredId === null ? [found.runIds, found.largeRunIds] : [[], []];
  if (retiredId !== null)
    draft.write({ type: "parts.delete", runId: retiredId, records: limit, bytes: limitBytes });
  for (const runId of runIds) draft.write({ type: "run.delete", runId });
  for (const runId of largeRunIds) draft.write({ type: "run.retire", runId });
  for (const eventId of eventIds) draft.write({ type: "event.delete", eventId });
  const runs = runIds.length + largeRunIds.length;
  const events = eventIds.length;
  // With a run its events may have become free to go.
  return { runs, events, hasMore: found.hasMore || retiredId !== null || runs > 0 };
}
