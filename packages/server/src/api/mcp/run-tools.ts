// The MCP tools that send events, start functions and look at runs (protocol.md 8.5).
import { z } from "zod";
import { sliceObject } from "@pawl/protocol/json-span";
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { eventIdsFromSeed } from "@pawl/protocol/ulid";
import { awaitRuns } from "../../query/await-runs.ts";
import { runOutput } from "../../query/outputs.ts";
import type { ShownRun } from "../../query/queries.ts";
import { ServerError } from "../../server-error.ts";
import { acceptEvent, startFunction } from "../accept.ts";
import { refusalError, type ApiContext } from "../context.ts";
import { spliced } from "../envelope.ts";
import { explanationJson } from "../explanation-json.ts";
import { runStatusWords, timeOrNull } from "../words.ts";
import { looks, starts, tool, type Tool } from "./tool.ts";

/** Longest wait in one call: below the time that a request may take. */
const timeoutSecondsMax = 100;
const runsMax = 50;

const data = z.record(z.string(), z.unknown()).optional().describe("Payload of the event.");
const user = z.record(z.string(), z.unknown()).optional().describe("User fields of the event.");
const timeout = z
  .number()
  .min(0)
  .max(timeoutSecondsMax)
  .default(30)
  .describe("Longest wait in seconds.");

/** The tools. */
export function runTools(context: ApiContext): readonly Tool[] {
  return [...sendingTools(context), ...lookingTools(context)];
}

function sendingTools(context: ApiContext): readonly Tool[] {
  return [
    tool({
      name: "send_event",
      scope: "events:write",
      description: "Send an event. Functions that it triggers are started.",
      input: z.strictObject({
        name: z.string().min(1).describe("Name of the event, for example order/created."),
        data,
        user,
        eventIdSeed: z
          .string()
          .optional()
          .describe("`<ms>,<base64 of 10 bytes>`: the same seed again sends the same event."),
      }),
      hints: starts,
      run: (input, text) => sendEvent(context, input, text),
    }),
    tool({
      name: "invoke_function",
      scope: "runs:write",
      description: "Start a function by its id and wait for its result.",
      input: z.strictObject({
        functionId: z.string().min(1).describe("Slug (`<app>-<function>`) or UUID."),
        data,
        user,
        timeout,
      }),
      hints: starts,
      run: (input, text) => invokeFunction(context, input, text),
    }),
  ];
}

function lookingTools(context: ApiContext): readonly Tool[] {
  const { queries } = context;
  return [
    tool({
      name: "list_functions",
      scope: "apps:read",
      description: "List the functions of all apps with their triggers.",
      input: z.strictObject({}),
      hints: looks,
      run: async () =>
        toJsonText(
          queries.functions().map(({ fn, app }) => ({
            id: fn.slug,
            name: fn.name,
            app: app.name,
            triggers: fn.triggers.map((trigger) =>
              trigger.kind === "cron"
                ? { cron: trigger.cron }
                : { event: trigger.event, expression: trigger.expression },
            ),
          })),
        ),
    }),
    tool({
      name: "get_run_status",
      scope: "runs:read",
      description: "Status of a run, and its output when it has ended.",
      input: z.strictObject({ runId: z.string() }),
      hints: looks,
      run: async ({ runId }) => {
        const shown = await queries.run(runId);
        if (shown !== null) return statusText(context, shown);
        throw new ServerError("run_not_found", `There is no run ${runId}.`);
      },
    }),
    tool({
      name: "explain_run",
      description:
        "Why a run is not running: what each of its steps waits for, its place in a queue, when it goes on, and what to do.",
      input: z.strictObject({ runId: z.string() }),
      scope: "runs:read",
      hints: looks,
      run: async ({ runId }) => {
        const explanation = await queries.explain(runId, context.now());
        if (explanation !== null) return explanationJson(explanation);
        throw new ServerError("run_not_found", `There is no run ${runId}.`);
      },
    }),
    tool({
      name: "poll_run_status",
      scope: "runs:read",
      description: "Wait until runs have ended, and tell what they came to.",
      input: z.strictObject({
        runIds: z.array(z.string()).min(1).max(runsMax),
        timeout,
        pollInterval: z
          .number()
          .optional()
          .describe("Without effect: the answer comes as soon as the last run ends."),
      }),
      hints: looks,
      run: (input) => pollRuns(context, input.runIds, input.timeout),
    }),
  ];
}

/** Payloads are handed on as the text that arrived. */
function payloadOf(text: JsonText): string {
  const members = sliceObject(text);
  return (["data", "user"] as const)
    .flatMap((name) => {
      const member = members.get(name);
      return member === undefined ? [] : [`,"${name}":${member}`];
    })
    .join("");
}

async function sendEvent(
  context: ApiContext,
  input: { readonly name: string; readonly eventIdSeed?: string | undefined },
  text: JsonText,
): Promise<JsonText> {
  const { name, eventIdSeed } = input;
  const ids = eventIdSeed === undefined ? null : eventIdsFromSeed(eventIdSeed, 1);
  if (eventIdSeed !== undefined && ids === null)
    throw new ServerError("parameter_invalid", "eventIdSeed must be <ms>,<base64 of 10 bytes>.");
  const event = `{"name":${JSON.stringify(name)}${payloadOf(text)}}`;
  const reply = await acceptEvent(context, event, ids?.[0] ?? null);
  if (!reply.ok) throw refusalError(reply);
  const eventId = reply.value.type === "accepted" ? (reply.value.eventIds[0] ?? null) : null;
  const runs = eventId === null ? [] : await context.queries.runsOfEvent(eventId, runsMax);
  return toJsonText({ eventId, runIds: runs.map(({ run }) => run.id) });
}

async function invokeFunction(
  context: ApiContext,
  input: { readonly functionId: string; readonly timeout: number },
  text: JsonText,
): Promise<JsonText> {
  const found = context.queries.fn(input.functionId);
  if (found === null)
    throw new ServerError("function_not_found", `There is no function ${input.functionId}.`);
  const reply = await startFunction(context, found.fn.slug, `{"name":""${payloadOf(text)}}`);
  if (!reply.ok) throw refusalError(reply);
  return reply.value.type === "started"
    ? pollRun(context, reply.value.runId, input.timeout)
    : toJsonText({ runId: null });
}

async function pollRun(context: ApiContext, runId: string, seconds: number): Promise<JsonText> {
  const [shown = null] = await wait(context, [runId], seconds);
  return shown === null ? missingRun(runId) : statusText(context, shown);
}

async function pollRuns(
  context: ApiContext,
  runIds: readonly string[],
  seconds: number,
): Promise<JsonText> {
  const found = await wait(context, runIds, seconds);
  const texts = await Promise.all(
    runIds.map(async (runId, index) => {
      const shown = found[index] ?? null;
      return shown === null ? missingRun(runId) : statusText(context, shown);
    }),
  );
  const allEnded = found.every((shown) => shown === null || shown.run.endedAt !== null);
  // proof: JSON texts between fixed brackets
  return `{"completed":${String(allEnded)},"runs":[${texts.join(",")}]}` as JsonText;
}

function wait(
  { queries, backend, after }: ApiContext,
  runIds: readonly string[],
  seconds: number,
): Promise<readonly (ShownRun | null)[]> {
  const onCommit: typeof backend.onCommit = (listener) => backend.onCommit(listener);
  return awaitRuns({ queries, onCommit, after }, runIds, seconds * 1_000);
}

function missingRun(runId: string): JsonText {
  return toJsonText({ runId, status: "NOT_FOUND" });
}

async function statusText({ queries }: ApiContext, { run, fn }: ShownRun): Promise<JsonText> {
  const { data: result, error } = runOutput(await queries.output(run), null);
  const text = spliced(
    {
      runId: run.id,
      functionId: fn?.slug ?? run.functionId,
      status: runStatusWords[run.status],
      queuedAt: timeOrNull(run.queuedAt),
      startedAt: timeOrNull(run.startedAt),
      endedAt: timeOrNull(run.endedAt),
    },
    { output: result ?? error ?? jsonNull },
  );
  return text as JsonText; // proof: spliced yields a JSON object
}
