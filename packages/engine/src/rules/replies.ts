// Refusals that several commands share.
import type { Reply } from "../decision.ts";
import type { RunRecord } from "../records.ts";
import type { BulkRecord } from "../bulk-records.ts";

type Refusal = Extract<Reply, { ok: false }>;

export function runNotFound(runId: string): Reply {
  return {
    ok: false,
    code: "run_not_found",
    message: `There is no run ${runId}: the id is wrong, or retention has removed its history.`,
  };
}

export function functionNotFound(name: string): Refusal {
  const message = `No function "${name}" is registered. Check the id (<app>-<function>) and that its app is running and synced.`;
  return { ok: false, code: "function_not_found", message };
}

export function bulkNotFound(bulkId: string): Reply {
  return {
    ok: false,
    code: "bulk_not_found",
    message: `There is no bulk action ${bulkId}: the id is wrong, or retention has removed it.`,
  };
}

export function bulkEnded({ id, state }: BulkRecord): Reply {
  return {
    ok: false,
    code: "bulk_ended",
    message: `Bulk action ${id} has ended (${state}); nothing was changed.`,
  };
}

export function runEnded(run: RunRecord): Reply {
  return {
    ok: false,
    code: "run_ended",
    message: `Run ${run.id} has ended (${run.status}); nothing was changed.`,
  };
}

export function scheduleNotFound(name: string): Reply {
  const message = `There is no schedule "${name}": the id is wrong, or it was deleted.`;
  return { ok: false, code: "schedule_not_found", message };
}
