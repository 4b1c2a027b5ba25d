// People stop a bulk action, or have it forgotten. What was done stays done.
import type { BulkRemoved, BulkStopped } from "../bulk-commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { bulkEnded, bulkNotFound } from "../rules/replies.ts";
import type { StateView } from "../state/view.ts";

export function bulkStopped(state: StateView, command: BulkStopped): Decision {
  const draft = new Draft(state, command);
  const before = state.bulk(command.bulkId);
  if (before === undefined) return draft.decide(bulkNotFound(command.bulkId));
  if (before.state !== "active") return draft.decide(bulkEnded(before));
  const bulk = { ...before, state: "stopped", endedAt: draft.at } as const;
  draft.write({ type: "bulk.put", bulk });
  return draft.decide({ ok: true, value: { type: "bulk", bulk } });
}

export function bulkRemoved(state: StateView, command: BulkRemoved): Decision {
  const draft = new Draft(state, command);
  const bulk = state.bulk(command.bulkId);
  if (bulk === undefined) return draft.decide(bulkNotFound(command.bulkId));
  draft.write({ type: "bulk.delete", bulkId: bulk.id });
  return draft.decide({ ok: true, value: { type: "bulk", bulk } });
}
