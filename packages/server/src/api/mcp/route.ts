// `POST /mcp` (protocol.md 8.5): Streamable HTTP without sessions, every answer plain JSON. `GET`
// and `DELETE` are refused by the router: there is no stream and no session.
import { assertJson, sliceArray } from "@pawl/protocol/json-span";
import type { JsonText } from "@pawl/protocol/json-text";
import { ProtocolError } from "@pawl/protocol/protocol-error";
import type { Caller } from "../../auth/scopes.ts";
import type { RouteRequest } from "../../http/message.ts";
import { problemHeaders, type Problem } from "../../http/problem.ts";
import { jsonResponse, valueResponse, type HttpResponse } from "../../http/response.ts";
import type { Route } from "../../http/router.ts";
import type { ApiContext } from "../context.ts";

const messagesMax = 50;
const parseError = -32700;
const invalidRequest = -32600;
/** Within the range that JSON-RPC leaves to servers; `data.code` says more. */
const requestRefused = -32000;

interface Mcp {
  readonly versions: readonly string[];
  readonly answer: (message: JsonText, caller: Caller) => Promise<JsonText | null>;
}

/** The route; the endpoints of v2 among the others are tools, too. */
export function mcpRoute(context: ApiContext, routes: readonly Route[]): Route {
  let mcp: Promise<Mcp> | null = null;
  return {
    method: "POST",
    pattern: "/mcp",
    access: "key",
    bodyBytesMax: context.limits.bodyBytesMax,
    anyOrigin: false,
    startsWork: false,
    refuse,
    handle: async (request) => respond(await (mcp ??= load(context, routes)), request),
  };
}

/** The shape of JSON-RPC for what is refused before a message is read. */
function refuse(problem: Problem): HttpResponse {
  const { code, message, status } = problem;
  const error = { code: requestRefused, message, data: { code } };
  const response = valueResponse(status, { jsonrpc: "2.0", id: null, error });
  return { ...response, headers: { ...response.headers, ...problemHeaders(problem) } };
}

async function load(context: ApiContext, routes: readonly Route[]): Promise<Mcp> {
  const [
    { createRpc, protocolVersions },
    { runTools },
    { searchTools },
    { docTools, docsFolder },
    { v2Tools },
  ] = await Promise.all([
    import("./rpc.ts"),
    import("./run-tools.ts"),
    import("./search-tools.ts"),
    import("./doc-tools.ts"),
    import("./v2-tools.ts"),
  ]);
  const tools = [
    ...runTools(context),
    ...searchTools(context),
    ...docTools(docsFolder),
    ...v2Tools(routes),
  ];
  return { versions: protocolVersions, answer: createRpc(tools, context.onFault) };
}

async function respond(mcp: Mcp, request: RouteRequest): Promise<HttpResponse> {
  const spoken = request.header("mcp-protocol-version");
  if (spoken !== null && !mcp.versions.includes(spoken)) {
    return refused(invalidRequest, `Protocol version ${spoken} is not spoken here.`);
  }
  const body = request.body.trim();
  const messages = messagesOf(body);
  if (messages === null) return refused(parseError, "The body is not JSON.");
  if (messages.length === 0 || messages.length > messagesMax) {
    return refused(invalidRequest, `A body holds 1 to ${String(messagesMax)} messages.`);
  }
  const answers = (
    await Promise.all(messages.map((message) => mcp.answer(message, request.caller)))
  ).filter((one) => one !== null);
  if (answers.length === 0) return { status: 202, headers: {}, body: "" };
  return jsonResponse(200, body.startsWith("[") ? `[${answers.join(",")}]` : answers.join(""));
}

function messagesOf(body: string): readonly JsonText[] | null {
  try {
    const text = assertJson(body);
    return body.startsWith("[") ? sliceArray(text) : [text];
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

function refused(code: number, message: string): HttpResponse {
  return valueResponse(400, { jsonrpc: "2.0", id: null, error: { code, message } });
}
