// Forgetting: a small step at a time, so that it never delays the others.
import type { RetentionDue } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { StateView } from "../state/view.ts";

export function retentionDue(state: StateView, command: RetentionDue): Decision {
  const draft = new Draft(state, command);
  const { bounds, limit } = command;
  const { runIds, eventIds, hasMore } = state.expired({ kind: "expired", bounds, limit });
  for (const runId of runIds) draft.write({ type: "run.delete", runId });
  for (const eventId of eventIds) draft.write({ type: "event.delete", eventId });
  const keys = state.expiredKeys({ kind: "expiredKeys", at: draft.at, limit });
  for (const key of keys) draft.write({ type: "idempotency.delete", key });
  const rates = state.expiredKeys({ kind: "expiredRates", at: draft.at, limit });
  for (const key of rates) draft.deleteGate(key);
  const value = {
    type: "removed",
    runs: runIds.length,
    events: eventIds.length,
    keys: keys.length,
    rates: rates.length,
    // With a run its events may have become free to go.
    hasMore: hasMore || runIds.length > 0 || keys.length === limit || rates.length === limit,
  } as const;
  return draft.decide({ ok: true, value });
}
