// The JSON-RPC side of the Model Context Protocol: one message in, one answer or none out. It keeps
// nothing between messages. It must not know HTTP, nor what the tools do.
import { z } from "zod";
import { sliceObject } from "@pawl/protocol/json-span";
import { fromJsonText, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { scopeMissing, type Caller } from "../../auth/scopes.ts";
import { explainFailure } from "../context.ts";
import { version } from "../version.ts";
import type { Tool } from "./tool.ts";

/** Revisions of the protocol that are spoken, the newest first. */
export const protocolVersions: readonly string[] = [
  "2025-11-25",
  "2025-06-18",
  "2025-03-26",
  "2024-11-05",
];

/** Codes of JSON-RPC 2.0. */
const invalidRequest = -32600;
const methodNotFound = -32601;
const invalidParams = -32602;
const internalError = -32603;

const messageSchema = z.object({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});
const callSchema = z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) });

type Id = string | number | null;
type Outcome =
  | { readonly result: JsonText }
  | { readonly error: { readonly code: number; readonly message: string } };

/** Answers messages; `onFault` is told what nobody foresaw. */
export function createRpc(
  tools: readonly Tool[],
  onFault: (error: unknown) => void,
): (message: JsonText, caller: Caller) => Promise<JsonText | null> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return async (text, caller) => {
    const read = messageSchema.safeParse(fromJsonText(text));
    if (!read.success) return written(null, failure(invalidRequest, "No JSON-RPC 2.0 message."));
    const { id, method, params = {} } = read.data;
    // Notifications, and answers to requests that this server never makes, get none.
    if (id === undefined || method === undefined) return null;
    switch (method) {
      case "initialize":
        return written(id, { result: introduction(params["protocolVersion"]) });
      case "ping":
        return written(id, { result: toJsonText({}) });
      case "tools/list":
        return written(id, { result: toJsonText({ tools: usable(tools, caller).map(toolJson) }) });
      case "tools/call":
        return written(id, await call({ tools: byName, caller, onFault }, params, text));
      default:
        return written(id, failure(methodNotFound, `There is no method ${method}.`));
    }
  };
}

function introduction(asked: unknown): JsonText {
  const known = protocolVersions.find((one) => one === asked);
  return toJsonText({
    protocolVersion: known ?? protocolVersions[0],
    capabilities: { tools: {} },
    serverInfo: { name: "pawl", version },
    instructions: "Send events, start functions and look at their runs on a Pawl server.",
  });
}

function toolJson({ name, description, input, hints }: Tool): object {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(input, { io: "input" });
  return { name, description, inputSchema, annotations: hints };
}

/** A model is not shown what it could not use. */
function usable(tools: readonly Tool[], caller: Caller): readonly Tool[] {
  return tools.filter(({ scope }) => scope === null || caller.may(scope));
}

interface CallParts {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly caller: Caller;
  readonly onFault: (error: unknown) => void;
}

async function call(
  { tools, caller, onFault }: CallParts,
  params: Readonly<Record<string, unknown>>,
  message: JsonText,
): Promise<Outcome> {
  const asked = callSchema.safeParse({ arguments: {}, ...params });
  if (!asked.success) return failure(invalidParams, "params must hold name and arguments.");
  const tool = tools.get(asked.data.name);
  if (tool === undefined) return failure(invalidParams, `There is no tool ${asked.data.name}.`);
  if (tool.scope !== null && !caller.may(tool.scope)) {
    const problem = { code: "access_denied", message: scopeMissing(tool.scope) };
    return toolResult(toJsonText(problem), true);
  }
  const input = tool.input.safeParse(asked.data.arguments);
  if (!input.success) return toolResult(z.prettifyError(input.error), true);
  try {
    const result = await tool.run(input.data, argumentsText(message));
    return typeof result === "string"
      ? toolResult(result, false)
      : toolResult(result.refused, true);
  } catch (error) {
    const problem = explainFailure(error);
    if (problem !== null) {
      return toolResult(toJsonText({ code: problem.code, message: problem.message }), true);
    }
    onFault(error);
    return failure(internalError, "The server failed; its log has the details.");
  }
}

/** The arguments as they arrived, numbers and all. */
function argumentsText(message: JsonText): JsonText {
  const params = sliceObject(message).get("params");
  const given = params === undefined ? undefined : sliceObject(params).get("arguments");
  return given ?? toJsonText({});
}

function toolResult(text: string, isError: boolean): Outcome {
  return { result: toJsonText({ content: [{ type: "text", text }], isError }) };
}

function failure(code: number, message: string): Outcome {
  return { error: { code, message } };
}

function written(id: Id, outcome: Outcome): JsonText {
  const body =
    "result" in outcome ? `"result":${outcome.result}` : `"error":${JSON.stringify(outcome.error)}`;
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${body}}` as JsonText; // proof: JSON texts in an object
}
