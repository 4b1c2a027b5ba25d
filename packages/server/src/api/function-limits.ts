// `POST|DELETE /fn/step-limit` and `/fn/state-size-limit`: what one run of a function may grow to, on a
// development server (protocol.md 1.6, 10). Fields `functionId` and `limit` as a form or in the query.
import type { FunctionRecord } from "@pawl/engine/records";
import type { RouteRequest } from "../http/message.ts";
import { valueResponse, type HttpResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import { ServerError } from "../server-error.ts";
import { refusalResponse, type ApiContext } from "./context.ts";

const bodyBytesMax = 16 * 1024;

type Limit = "steps" | "stateChars";

/** The routes; they exist on development servers only. */
export function functionLimitRoutes(context: ApiContext): readonly Route[] {
  const route = (method: "POST" | "DELETE", path: string, limit: Limit): Route => ({
    method,
    pattern: `/fn/${path}`,
    access: "dev",
    bodyBytesMax,
    anyOrigin: false,
    startsWork: false,
    handle: async (request) => {
      const fields = await fieldsOf(request);
      return change(context, fields, limit, method === "POST" ? limitOf(fields) : null);
    },
  });
  return [
    route("POST", "step-limit", "steps"),
    route("DELETE", "step-limit", "steps"),
    route("POST", "state-size-limit", "stateChars"),
    route("DELETE", "state-size-limit", "stateChars"),
  ];
}

type Fields = ReadonlyMap<string, string>;

async function fieldsOf({ query, header, body }: RouteRequest): Promise<Fields> {
  const type = header("content-type") ?? "";
  if (!type.startsWith("multipart/")) return new Map([...query, ...new URLSearchParams(body)]);
  try {
    const form = await new Response(body, { headers: { "content-type": type } }).formData();
    const texts = [...form].filter(
      (field): field is [string, string] => typeof field[1] === "string",
    );
    return new Map([...query, ...texts]);
  } catch (error) {
    const message = `The body is not a form as its content type says: ${type}.`;
    throw new ServerError("parameter_invalid", message, { cause: error });
  }
}

function limitOf(fields: Fields): number {
  const text = fields.get("limit") ?? "";
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new ServerError(
      "parameter_invalid",
      `The field limit must be a whole number from 1 to 999999999, not "${text}".`,
    );
  return Number(text);
}

async function change(
  context: ApiContext,
  fields: Fields,
  limit: Limit,
  value: number | null,
): Promise<HttpResponse> {
  const { backend } = context;
  const id = fields.get("functionId") ?? "";
  const fn: FunctionRecord | undefined =
    backend.hot.functionById(id) ?? backend.hot.functionBySlug(id);
  const functionId = fn?.id ?? id;
  const reply = await backend.submit({ type: "function.limited", functionId, limit, value });
  return reply.ok ? valueResponse(200, { functionId, limit: value }) : refusalResponse(reply);
}
