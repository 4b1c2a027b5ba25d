// A bulk action came further: a page of its runs was found, or was done, or there are no more. What is found is
// kept before it is acted on, so that after a crash the same runs are acted on again, which changes nothing.
import type { BulkProgressed } from "../bulk-commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { BulkRecord } from "../bulk-records.ts";
import { bulkEnded, bulkNotFound } from "../rules/replies.ts";
import type { StateView } from "../state/view.ts";

export function bulkProgressed(state: StateView, command: BulkProgressed): Decision {
  const draft = new Draft(state, command);
  const before = state.bulk(command.bulkId);
  if (before === undefined) return draft.decide(bulkNotFound(command.bulkId));
  const isOpen = before.state === "active" || before.underWay.length > 0;
  if (!isOpen) return draft.decide(bulkEnded(before));
  const news = progressed(before, command, draft.at);
  const bulk = { ...before, ...news };
  if (news !== null) draft.write({ type: "bulk.put", bulk });
  return draft.decide({ ok: true, value: { type: "bulk", bulk } });
}

/** Null: the news are known, or of no use any more. The command may come more than once. */
function progressed(
  bulk: BulkRecord,
  { progress }: BulkProgressed,
  at: number,
): Partial<BulkRecord> | null {
  const isBetweenPages = bulk.underWay.length === 0;
  switch (progress.step) {
    case "found":
      // Stopped while the page was looked for: nothing of it is done.
      if (bulk.state !== "active" || !isBetweenPages || progress.behind !== bulk.cursor)
        return null;
      return {
        cursor: progress.cursor,
        underWay: progress.runIds,
        examined: bulk.examined + progress.examined,
        matched: bulk.matched + progress.runIds.length,
      };
    case "done":
      if (isBetweenPages || progress.cursor !== bulk.cursor) return null;
      return {
        underWay: [],
        done: bulk.done + progress.done,
        failed: bulk.failed + progress.failed,
        problem: progress.problem ?? bulk.problem,
      };
    case "ended":
      return bulk.state === "active" && isBetweenPages ? { state: "completed", endedAt: at } : null;
  }
}
