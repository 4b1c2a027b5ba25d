// The MCP tools that search events and runs by expression.
import { z } from "zod";
import type { EventRecord } from "@pawl/engine/records";
import { writeEvent } from "@pawl/protocol/event-wire";
import { jsonNull, type JsonText } from "@pawl/protocol/json-text";
import { everyRun } from "@pawl/store/run-filter";
import { runOutput } from "../../query/outputs.ts";
import type { Found, ShownRun } from "../../query/queries.ts";
import type { ApiContext } from "../context.ts";
import { spliced } from "../envelope.ts";
import { runStatusWords, timeOrNull } from "../words.ts";
import { looks, tool, type Tool } from "./tool.ts";

const shared = {
  limit: z.number().int().min(1).max(50).default(20).describe("Most items to find."),
  cursor: z.string().max(100).optional().describe("`cursor` of the answer before: goes on there."),
};
const bounded =
  "Newest first. One call looks at a bounded number of records (`scanned`) and may find none of them: " +
  "while `hasMore` is true, call again with `cursor`.";

/** The tools. */
export function searchTools(context: ApiContext): readonly Tool[] {
  const { queries } = context;
  return [
    tool({
      name: "search_events",
      description: `Find events by a CEL expression over \`event\` (name, data, user, ts, id, v). ${bounded}`,
      input: z.strictObject({
        expression: z.string().describe('For example event.data.orderId == "o-17".'),
        name: z.string().optional().describe("Only events of this name: faster."),
        ...shared,
      }),
      hints: looks,
      scope: "events:read",
      run: async ({ expression, name = null, limit, cursor = null }) => {
        const window = { receivedFrom: null, receivedUntil: null };
        const page = await queries.searchEvents({ name, ...window, cursor, limit }, expression);
        return answerOf("events", page, page.found.map(eventText));
      },
    }),
    tool({
      name: "search_runs",
      description:
        "Find runs by a CEL expression over `event` (the event that started it), `output` (its result or error) and " +
        `\`run\` (status, function_id, ended_at, …). ${bounded}`,
      input: z.strictObject({
        expression: z
          .string()
          .describe('For example run.status == "FAILED" && output.message.contains("timeout").'),
        ...shared,
      }),
      hints: looks,
      scope: "runs:read",
      run: async ({ expression, limit, cursor = null }) => {
        const list = { filter: everyRun, cursor, oldestFirst: false, limit };
        const page = await queries.searchRuns(list, expression);
        const texts = await Promise.all(page.found.map((shown) => runText(context, shown)));
        return answerOf("runs", page, texts);
      },
    }),
  ];
}

function answerOf(name: string, page: Found<unknown>, texts: readonly string[]): JsonText {
  const { scanned, cursor } = page;
  const rest = JSON.stringify({ scanned, hasMore: cursor !== null, cursor });
  // proof: JSON texts between fixed brackets
  return `{"${name}":[${texts.join(",")}],${rest.slice(1)}` as JsonText;
}

function eventText(event: EventRecord): string {
  return spliced({ internalId: event.id }, { event: writeEvent(event) });
}

async function runText({ queries }: ApiContext, { run, fn }: ShownRun): Promise<string> {
  const { data, error } = runOutput(await queries.output(run), null);
  return spliced(
    {
      runId: run.id,
      functionId: fn?.slug ?? run.functionId,
      status: runStatusWords[run.status],
      queuedAt: timeOrNull(run.queuedAt),
      endedAt: timeOrNull(run.endedAt),
    },
    { output: data ?? error ?? jsonNull },
  );
}
