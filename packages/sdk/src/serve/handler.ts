// The app's side of the protocol over any transport: GET tells about the app, PUT registers it,
// POST calls a function. Adapters feed it requests as plain data (`messages.ts`).
import {
  headerFramework,
  headerSdk,
  headerSdkHandled,
  headerServerKind,
} from "@pawl/protocol/headers";
import { PawlError } from "../errors.ts";
import { sdkName } from "../version.ts";
import { signatureFor, signingKeyOf } from "./authenticity.ts";
import { answerCall, type CalledFunction } from "./call.ts";
import { introspect } from "./introspect.ts";
import { json, type ServeRequest, type ServeResponse } from "./messages.ts";
import type { ServeOptions, Service } from "./service.ts";
import { answerSync } from "./sync.ts";

/** Answers one request. Never rejects. */
export type ServeHandler = (request: ServeRequest) => Promise<ServeResponse>;

/** The path at which apps are expected when nothing else is said. */
export const defaultServePath = "/api/pawl";

/** Throws `function_duplicate`, or `option_invalid` for a function of another app. */
export function createHandler(framework: string, options: ServeOptions): ServeHandler {
  const { connection } = options.client;
  const { runtime } = connection;
  const service: Service = {
    connection,
    functions: options.functions,
    framework,
    servePath: options.servePath ?? runtime.env("PAWL_SERVE_PATH") ?? null,
    serveOrigin: options.serveOrigin ?? runtime.env("PAWL_SERVE_ORIGIN") ?? null,
  };
  const table = functionTable(service);
  return async (request) => {
    const requestKey = signingKeyOf(connection, request);
    const trusted = connection.isDev || requestKey !== null;
    const response = await route(service, table, request, trusted).catch((error: unknown) => {
      connection.logger.error("Pawl could not answer a request.", error);
      return internalError();
    });
    return dress(service, request, response, { trusted, requestKey });
  };
}

type FunctionTable = ReadonlyMap<string, CalledFunction>;

function functionTable({ connection, functions }: Service): FunctionTable {
  const table = new Map<string, CalledFunction>();
  for (const each of functions) {
    if (each.appId !== connection.appId) {
      const message = `Function "${each.id}" belongs to app "${each.appId}", not to "${connection.appId}".`;
      throw new PawlError("option_invalid", message);
    }
    for (const slug of [each.slug, `${each.slug}-failure`]) {
      if (each.handlerOf(slug) === null) continue;
      if (table.has(slug)) {
        throw new PawlError("function_duplicate", `Two functions are registered as "${slug}".`);
      }
      table.set(slug, { function: each, slug });
    }
  }
  return table;
}

async function route(
  service: Service,
  table: FunctionTable,
  request: ServeRequest,
  trusted: boolean,
): Promise<ServeResponse> {
  const { connection } = service;
  if (!connection.isDev && connection.signingKeys.length === 0) {
    connection.logger.error("No signing key: set PAWL_SIGNING_KEY, or PAWL_DEV=1 in development.");
    return internalError();
  }
  if (!trusted) return unauthorized();
  switch (request.method.toUpperCase()) {
    case "GET":
      return introspect(service);
    case "PUT":
      return answerSync(service, request);
    case "POST":
      return call(service, table, request);
    default:
      return json(405, { message: "Use GET, PUT or POST." });
  }
}

async function call(
  { connection }: Service,
  table: FunctionTable,
  request: ServeRequest,
): Promise<ServeResponse> {
  const query = new URL(request.url).searchParams;
  if (query.get("probe") === "trust") return json(200, {});
  const slug = query.get("fnId") ?? "";
  const called = table.get(slug);
  if (called !== undefined) return answerCall(connection, called, request);
  const message = `There is no function "${slug}" in app "${connection.appId}".`;
  // Retried: while a new version rolls out, an old process may get calls for new functions.
  return json(404, { name: "FunctionNotFound", message });
}

function unauthorized(): ServeResponse {
  return json(401, { message: "Unauthorized" });
}

function internalError(): ServeResponse {
  return json(500, { code: "internal_server_error" });
}

/** Headers that every answer has; strangers only learn that an SDK has handled their request. */
function dress(
  { connection, framework }: Service,
  request: ServeRequest,
  response: ServeResponse,
  { trusted, requestKey }: { readonly trusted: boolean; readonly requestKey: string | null },
): ServeResponse {
  const kind = request.header(headerServerKind);
  const own = {
    [headerSdk]: sdkName,
    [headerFramework]: framework,
    ...(kind === null ? {} : { [headerServerKind]: kind }),
    ...signatureFor(connection, response.body, requestKey),
  };
  const headers = {
    "content-type": "application/json",
    [headerSdkHandled]: "true",
    ...(trusted ? own : {}),
    ...response.headers,
  };
  return { ...response, headers };
}
