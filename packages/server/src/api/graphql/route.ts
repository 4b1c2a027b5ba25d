// `POST /v0/gql` (protocol.md 8.4): always status 200 with `data` or `errors`. The library is
// loaded by the first request.
import { z } from "zod";
import { assertJson } from "@pawl/protocol/json-span";
import { fromJsonText } from "@pawl/protocol/json-text";
import { ProtocolError } from "@pawl/protocol/protocol-error";
import { problemHeaders, type Problem } from "../../http/problem.ts";
import { valueResponse, type HttpResponse } from "../../http/response.ts";
import type { Route } from "../../http/router.ts";
import type { ApiContext } from "../context.ts";
import type { Executor, GraphqlRequest } from "./execute.ts";

const bodyBytesMax = 1024 * 1024;

const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

/** The route. */
export function graphqlRoute(context: ApiContext): Route {
  let executor: Promise<Executor> | null = null;
  const load = async () => (await import("./execute.ts")).createExecutor(context);
  return {
    method: "POST",
    pattern: "/v0/gql",
    access: "key",
    bodyBytesMax,
    anyOrigin: false,
    startsWork: false,
    refuse,
    handle: async ({ body, caller }) => {
      const request = readRequest(body);
      if (request === null) {
        const message = "The body must be JSON with a query: {query, variables, operationName}.";
        const extensions = { code: "body_invalid" };
        return valueResponse(200, { errors: [{ message, extensions }] });
      }
      return valueResponse(200, await (await (executor ??= load()))(request, caller));
    },
  };
}

/** The shape of GraphQL for what is refused before a query is read. */
function refuse(problem: Problem): HttpResponse {
  const { code, message, status } = problem;
  const response = valueResponse(status, { errors: [{ message, extensions: { code } }] });
  return { ...response, headers: { ...response.headers, ...problemHeaders(problem) } };
}

function readRequest(body: string): GraphqlRequest | null {
  try {
    const read = requestSchema.safeParse(fromJsonText(assertJson(body)));
    if (!read.success) return null;
    const { query, variables, operationName } = read.data;
    return { query, variables: variables ?? {}, operationName: operationName ?? null };
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
