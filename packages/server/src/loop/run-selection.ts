// Finds the runs that people mean: page by page in order of their ids, which is that of their
// birth, so that what is found or ends meanwhile moves no place. It must not know what becomes of them.
import { compileExpression } from "@pawl/engine/expression/compile";
import { readPaths } from "@pawl/engine/expression/paths";
import { eventValue } from "@pawl/engine/event-value";
import type { RunRecord } from "@pawl/engine/records";
import type { RunSelection } from "@pawl/engine/bulk-records";
import { membersOf } from "@pawl/protocol/json-span";
import { fromJsonText, type JsonText, type JsonValue } from "@pawl/protocol/json-text";
import type { RunFilter, Store } from "@pawl/store/store";

export interface RunPageFound {
  /** Runs that pass everything, in order. */
  readonly runIds: readonly string[];
  /** Runs that were looked at; fewer than the limit: there are no more. */
  readonly examined: number;
  /** The last run that was looked at; null: there was none. */
  readonly cursor: string | null;
}

/** The part of a selection that a store answers from its indexes. */
export function filterOf(selection: RunSelection): RunFilter {
  const { functionIds, appIds, statuses, from, until } = selection;
  return { functionIds, appIds, statuses, by: "queuedAt", from, until };
}

/** The next runs behind one; `limit` are looked at. Throws `ExpressionError` for one that is wrong. */
export async function findRuns(
  store: Pick<Store, "list">,
  selection: RunSelection,
  place: { readonly behind: string | null; readonly limit: number; readonly at: number },
): Promise<RunPageFound> {
  const { behind, limit, at } = place;
  const runs = await store.list<"runs">({
    type: "runs",
    filter: filterOf(selection),
    behind: behind === null ? null : { at: 0, runId: behind },
    oldestFirst: true,
    limit,
  });
  const passes = await Promise.all(runs.map((run) => matches(store, selection, run, at)));
  return {
    runIds: runs.filter((_, index) => passes[index] === true).map(({ id }) => id),
    examined: runs.length,
    cursor: runs.at(-1)?.id ?? null,
  };
}

/** Whether a run passes the expression, over `event`, `output` and `error`. */
async function matches(
  store: Pick<Store, "list">,
  { expression }: RunSelection,
  run: RunRecord,
  at: number,
): Promise<boolean> {
  if (expression === null) return true;
  const compiled = compileExpression(expression);
  const reads = (root: string): boolean => readPaths(compiled, root).length > 0;
  const event = reads("event") ? await firstEvent(store, run) : null;
  const output = reads("output") || reads("error") ? await outputOf(store, run) : null;
  return compiled.test(
    { event, output: member(output, "data"), error: member(output, "error") },
    at,
  );
}

async function firstEvent(store: Pick<Store, "list">, run: RunRecord): Promise<JsonValue> {
  const eventId = run.eventIds[0] ?? "";
  const event = await store.list<"event">({ type: "event", eventId });
  return event === null ? null : eventValue(event);
}

async function outputOf(store: Pick<Store, "list">, run: RunRecord): Promise<JsonText | null> {
  if (run.endedAt === null) return null;
  return store.list<"output">({ type: "output", runId: run.id });
}

function member(output: JsonText | null, key: "data" | "error"): JsonValue {
  const text = output?.startsWith("{") === true ? membersOf(output).get(key) : undefined;
  return text === undefined ? null : fromJsonText(text);
}
