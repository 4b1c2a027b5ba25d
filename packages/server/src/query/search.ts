// Searching events and runs by CEL: checks the expression before the store is asked, so that whoever
// wrote it is told what is wrong with it. It must not know HTTP, nor how the store finds anything.
import { compileExpression } from "@pawl/engine/expression/compile";
import { ExpressionError } from "@pawl/engine/expression/expression-error";
import { rootsOf } from "@pawl/engine/expression/paths";
import { nearestName } from "../config/nearest.ts";
import { ServerError } from "../server-error.ts";

/** How many records one page of a search looks at, when nothing else is chosen. */
export const searchScanMaxDefault = 10_000;

/** What an expression may read. */
const roots = {
  events: { event: ["id", "name", "data", "user", "ts", "v"] },
  runs: {
    event: ["id", "name", "data", "user", "ts", "v"],
    output: null,
    run: [
      "id",
      "status",
      "function_id",
      "app_id",
      "event_name",
      "queued_at",
      "started_at",
      "ended_at",
      "end_reason",
    ],
  },
} as const;

/** An expression that cannot be used, and where. */
export class SearchError extends ServerError {
  /** Offset into the expression, in UTF-16 units from 0. */
  readonly position: number;

  constructor(message: string, position: number) {
    super("expression_invalid", message);
    this.position = position;
  }
}

/** Throws `expression_invalid` for an expression that does not compile or reads what is not there. */
export function checkSearch(expression: string, over: keyof typeof roots): void {
  const known = roots[over];
  const names = Object.keys(known);
  try {
    for (const root of rootsOf(compileExpression(expression))) {
      if (names.includes(root)) continue;
      const nearest = nearestName(root, names);
      const hint = nearest === null ? "" : ` Did you mean "${nearest}"?`;
      const message = `The search expression reads "${root}", which is not there.${hint} ${readable(over)}`;
      throw new SearchError(message, Math.max(expression.search(new RegExp(`\\b${root}\\b`)), 0));
    }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const message = `The search expression cannot be used (${error.code}): ${error.message}. ${readable(over)}`;
    throw new SearchError(message, error.position);
  }
}

function readable(over: keyof typeof roots): string {
  const texts = Object.entries(roots[over]).map(([root, members]) =>
    members === null ? root : `${root} (${members.join(", ")})`,
  );
  return `An expression over ${over} is CEL that reads ${texts.join(", ")}, for example event.data.orderId == "o-17".`;
}
