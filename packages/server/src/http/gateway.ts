// From a request to a response: finds the route, asks the guard, reads the body, calls the route,
// and turns whatever goes wrong into a documented answer. It must not know sockets, nor what a
// route does.
import type { HttpRequest } from "./message.ts";
import type { HttpResponse } from "./response.ts";
import { httpProblem, problemResponse, type Problem } from "./problem.ts";
import type { Access, Route, Router } from "./router.ts";

/** `dev`: no keys, tools for people. `cloud`: keys required (the wire's word for production). */
export type ServerKind = "dev" | "cloud";

export interface GatewayParts {
  readonly router: Router;
  /** Routes that are loaded when a path is not among the first; absent: there are none. */
  readonly more?: () => Promise<Router>;
  readonly kind: ServerKind;
  /** Why this request may not use routes of this access; null when it may. */
  readonly guard: (
    access: Access,
    params: Readonly<Record<string, string>>,
    request: HttpRequest,
  ) => Problem | null;
  /** True while the server stops: routes that start work are refused. */
  readonly draining: () => boolean;
  /** Translates a failure of a route; `null` means that nobody foresaw it. */
  readonly explain: (error: unknown) => Problem | null;
  /** Told about each answer with status 500 and above. */
  readonly onFault: (requestId: string, problem: Problem, error: unknown) => void;
}

/** Answers any request; never rejects. */
export type Gateway = (request: HttpRequest) => Promise<HttpResponse>;

const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "POST, OPTIONS",
  "access-control-allow-headers": "*",
  "access-control-max-age": "86400",
};

/** Puts routes, guard and error answers together. */
export function createGateway(parts: GatewayParts): Gateway {
  const kindHeader = { "x-inngest-server-kind": parts.kind };
  return async (request) => {
    const found =
      parts.router.find(request.path) ?? (await parts.more?.())?.find(request.path) ?? null;
    const route = found === null ? undefined : routeFor(found.routes, request.method);
    const response = await answer(parts, request, route, found);
    const cors =
      found?.routes.some((candidate) => candidate.anyOrigin) === true ? corsHeaders : null;
    return { ...response, headers: { ...response.headers, ...kindHeader, ...cors } };
  };
}

type Found = ReturnType<Router["find"]>;

async function answer(
  parts: GatewayParts,
  request: HttpRequest,
  route: Route | undefined,
  found: Found,
): Promise<HttpResponse> {
  if (found === null || found.routes.every((candidate) => hidden(candidate, parts.kind))) {
    return problemResponse(
      httpProblem(404, "route_not_found", `There is nothing at ${request.path}.`),
    );
  }
  if (route === undefined) return otherMethod(request, found.routes);
  const problem = refusal(parts, request, route, found.params);
  if (problem !== null) return refused(route, problem);
  try {
    const read = route.bodyBytesMax === 0 ? noBody : await request.readBody(route.bodyBytesMax);
    if (!read.ok) return refused(route, read.problem);
    return await route.handle({
      id: request.id,
      params: found.params,
      query: request.query,
      header: request.header,
      body: read.text,
    });
  } catch (error) {
    return fault(parts, request, route, error);
  }
}

const noBody = { ok: true, text: "" } as const;

function refusal(
  parts: GatewayParts,
  request: HttpRequest,
  route: Route,
  params: Readonly<Record<string, string>>,
): Problem | null {
  if (route.startsWork && parts.draining()) {
    return httpProblem(503, "draining", "The server is stopping and takes no new work.");
  }
  if (!route.anyOrigin && isForeign(request)) {
    return httpProblem(403, "origin_refused", "Pages of other origins may not use this route.");
  }
  return parts.guard(route.access, params, request);
}

/** Whether a page of another origin sends it: a browser says so, and only browsers do. */
function isForeign(request: HttpRequest): boolean {
  const origin = request.header("origin");
  if (origin === null) return false;
  return URL.parse(origin)?.host !== request.header("host");
}

function fault(
  parts: GatewayParts,
  request: HttpRequest,
  route: Route,
  error: unknown,
): HttpResponse {
  const problem =
    parts.explain(error) ??
    httpProblem(500, "internal", "The server failed; its log has the details.");
  if (problem.status < 500) return refused(route, problem);
  parts.onFault(request.id, problem, error);
  return refused(route, problem, { request_id: request.id });
}

/** The event API names the ids it accepted even when it accepted none (protocol.md 4). */
function refused(
  route: Route,
  problem: Problem,
  more: Readonly<Record<string, unknown>> = {},
): HttpResponse {
  if (route.refuse !== undefined) return route.refuse(problem);
  return problemResponse(problem, route.access === "event" ? { ids: [], ...more } : more);
}

function otherMethod(request: HttpRequest, routes: readonly Route[]): HttpResponse {
  const allow = [...new Set(["OPTIONS", ...routes.flatMap(methodsOf)])].join(", ");
  if (request.method === "OPTIONS") return { status: 204, headers: { allow }, body: "" };
  const problem = httpProblem(
    405,
    "method_not_allowed",
    `${request.path} takes ${allow}, not ${request.method}.`,
  );
  const response = problemResponse(problem);
  return { ...response, headers: { ...response.headers, allow } };
}

function routeFor(routes: readonly Route[], method: string): Route | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  return routes.find((route) => route.method === wanted);
}

function methodsOf(route: Route): readonly string[] {
  return route.method === "GET" ? ["GET", "HEAD"] : [route.method];
}

function hidden(route: Route, kind: ServerKind): boolean {
  return route.access === "dev" && kind !== "dev";
}
