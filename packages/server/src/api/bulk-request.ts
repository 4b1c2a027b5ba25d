// Which runs a request for a bulk action means, and how many those are. It must not know how actions
// are performed.
import { z } from "zod";
import { compileExpression } from "@pawl/engine/expression/compile";
import { ExpressionError } from "@pawl/engine/expression/expression-error";
import type { RunStatus } from "@pawl/engine/records";
import type { BulkKind, RunSelection } from "@pawl/engine/bulk-records";
import { findRuns, filterOf } from "../loop/run-selection.ts";
import { ServerError } from "../server-error.ts";
import type { ApiContext } from "./context.ts";
import { idsSchema, statusesSchema, timeSchema } from "./schemas.ts";
import { runStatusWords } from "./words.ts";

const expressionCharsMax = 4_096;
const samplesMax = 10;
const pageSize = 200;

/** What people write to select runs. */
export const filterSchema = z
  .strictObject({
    function_ids: idsSchema,
    app_ids: idsSchema,
    statuses: statusesSchema,
    from: timeSchema,
    until: timeSchema,
    if: z.string().max(expressionCharsMax).optional().meta({
      description: "CEL over `event`, `output` and `error` of a run.",
    }),
  })
  .meta({ description: "Runs that pass every part; at least one part." });

export type BulkFilter = z.output<typeof filterSchema>;

/** How many runs an action would act on. */
export interface Preview {
  readonly count: number;
  /** False: the limit of runs to look at was reached, and there may be more. */
  readonly is_complete: boolean;
  /** Ids of the first of them. */
  readonly sample: readonly string[];
}

export const previewSchema = z.object({
  count: z.int(),
  is_complete: z.boolean(),
  sample: z.array(z.string()),
});

const actedOn: Readonly<Record<BulkKind, readonly RunStatus[]>> = {
  cancel: ["queued", "running"],
  rerun: ["completed", "failed", "cancelled", "skipped"],
};
const usual: Readonly<Record<BulkKind, readonly RunStatus[]>> = {
  cancel: actedOn.cancel,
  rerun: ["failed"],
};

/** The runs that a filter means now. Throws `body_invalid` for a filter that cannot be meant. */
export function selectionOf(
  { queries, now }: ApiContext,
  kind: BulkKind,
  filter: BulkFilter,
): RunSelection {
  if (Object.values(filter).every((part) => part === null || part === undefined)) {
    throw invalid("The filter is empty. Name at least one part; `until` alone means all runs.");
  }
  const statuses = filter.statuses ?? usual[kind];
  const wrong = statuses.find((status) => !actedOn[kind].includes(status));
  if (wrong !== undefined) {
    const words = actedOn[kind].map((status) => runStatusWords[status]).join(", ");
    throw invalid(`Only runs of status ${words} can be acted on by ${kind}.`);
  }
  return {
    functionIds: filter.function_ids?.map((id) => queries.fn(id)?.fn.id ?? unknownId(id)) ?? null,
    appIds: filter.app_ids?.map((id) => queries.app(id)?.id ?? unknownId(id)) ?? null,
    statuses,
    from: filter.from,
    // Runs that begin later, and those that the action itself starts, are not meant.
    until: Math.min(filter.until ?? Infinity, now()),
    expression: checked(filter.if),
  };
}

/** Runs of a function that is gone are still found by its UUID; other names must mean something. */
function unknownId(id: string): string {
  if (/^[0-9a-f-]{36}$/.test(id)) return id;
  throw invalid(`There is no function or app "${id}".`);
}

/** An expression that compiles; null when there is none. Throws `body_invalid`. */
export function checked(expression: string | undefined): string | null {
  if (expression === undefined || expression === "") return null;
  try {
    compileExpression(expression);
    return expression;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw invalid(`The expression "${expression}" cannot be used: ${error.message}`);
  }
}

function invalid(message: string): ServerError {
  return new ServerError("body_invalid", message);
}

/** Counts the runs of a selection and changes nothing. */
export async function preview(context: ApiContext, selection: RunSelection): Promise<Preview> {
  const { backend, queries, now, limits } = context;
  const at = now();
  if (selection.expression === null) {
    const place = { behind: null, limit: samplesMax, at };
    const [count, first] = await Promise.all([
      queries.countRuns(filterOf(selection)),
      findRuns(backend.store, selection, place),
    ]);
    return { count, is_complete: true, sample: first.runIds };
  }
  let [count, examined] = [0, 0];
  let behind: string | null = null;
  const sample: string[] = [];
  while (examined < limits.previewRunsMax) {
    const limit = Math.min(pageSize, limits.previewRunsMax - examined);
    const page = await findRuns(backend.store, selection, { behind, limit, at });
    examined += page.examined;
    count += page.runIds.length;
    sample.push(...page.runIds.slice(0, samplesMax - sample.length));
    if (page.examined < limit) return { count, is_complete: true, sample };
    behind = page.cursor;
  }
  return { count, is_complete: false, sample };
}
