// From a request to a response: finds the route, asks the guard, reads the body, calls the route,
// and turns whatever goes wrong into a documented answer. It must not know sockets, nor what a
// route does.
import type { HttpRequest, RouteRequest } from "./message.ts";
import type { HttpResponse } from "./response.ts";
import { httpProblem, problemResponse, type Problem } from "./problem.ts";
import type { Caller } from "../auth/scopes.ts";
import { corsHeaders, originProblem, type Origins } from "./origins.ts";
import type { Access, Route, RouteMatch, Router } from "./router.ts";
import type { Upgrade } from "./web-socket.ts";

/** `dev`: no keys, tools for people. `cloud`: keys required (the wire's word for production). */
export type ServerKind = "dev" | "cloud";

/** Who sends a request; with a problem when they may not use the route. */
export interface Verdict {
  readonly caller: Caller;
  readonly problem: Problem | null;
}

export interface GatewayParts {
  readonly router: Router;
  /** Routes that are loaded when a path is not among the first; absent: there are none. */
  readonly more?: () => Promise<Router>;
  readonly kind: ServerKind;
  /** Who sends this request, and why they may not use routes of this access. */
  readonly guard: (
    access: Access,
    params: Readonly<Record<string, string>>,
    request: HttpRequest,
  ) => Verdict;
  readonly origins: Origins;
  /** Told about each request that was refused for what its sender is or lacks. */
  readonly onRefused: (
    request: HttpRequest,
    route: Route,
    problem: Problem,
    keyName: string | null,
  ) => void;
  /** Told about each admitted request that may change something and came with an API key. */
  readonly onKeyUsed: (request: HttpRequest, route: Route, keyName: string) => void;
  /** True while the server stops: routes that start work are refused. */
  readonly draining: () => boolean;
  /** Translates a failure of a route; `null` means that nobody foresaw it. */
  readonly explain: (error: unknown) => Problem | null;
  /** Told about each answer with status 500 and above. */
  readonly onFault: (requestId: string, problem: Problem, error: unknown) => void;
}

/** Neither ever rejects. */
export interface Gateway {
  /** Answers any request. */
  answer(request: HttpRequest): Promise<HttpResponse>;
  /** A request to go on as a WebSocket: how to, or the refusal to answer with. */
  upgrade(request: HttpRequest): Promise<HttpResponse | Upgrade>;
}

/** Answers hold what only the holder of a key may see; a route may say otherwise. */
const unkept = { "cache-control": "no-store" };

/** Puts routes, guard and error answers together. */
export function createGateway(parts: GatewayParts): Gateway {
  const kindHeader = { "x-inngest-server-kind": parts.kind };
  const finished = (
    request: HttpRequest,
    found: RouteMatch | null,
    response: HttpResponse,
  ): HttpResponse => {
    const cors = found === null ? null : corsHeaders(parts.origins, request, found.routes);
    return { ...response, headers: { ...unkept, ...response.headers, ...kindHeader, ...cors } };
  };
  return {
    answer: async (request) => {
      const found = await find(parts, request.path);
      const response =
        found === null ? await nothing(parts, request) : await answer(parts, request, found);
      return finished(request, found, response);
    },
    upgrade: async (request) => {
      const found = await find(parts, request.path);
      const outcome =
        found === null ? await nothing(parts, request) : await upgrade(parts, request, found);
      return "status" in outcome ? finished(request, found, outcome) : outcome;
    },
  };
}

async function find(parts: GatewayParts, path: string): Promise<RouteMatch | null> {
  const found = parts.router.find(path) ?? (await parts.more?.())?.find(path) ?? null;
  const routes = found?.routes.filter((route) => route.access !== "dev" || parts.kind === "dev");
  return found === null || routes?.length === 0 ? null : found;
}

/** A path that leads nowhere is refused as its neighbours are, so that clients can read why. */
async function nothing(parts: GatewayParts, request: HttpRequest): Promise<HttpResponse> {
  const { path } = request;
  const route = parts.router.neighbour(path) ?? (await parts.more?.())?.neighbour(path);
  const shown = path.length > pathCharsShown ? `${path.slice(0, pathCharsShown)}…` : path;
  const problem = httpProblem(404, "route_not_found", `There is nothing at ${shown}.`);
  return route === undefined ? problemResponse(problem) : refused(route, problem);
}

const pathCharsShown = 200;

async function answer(
  parts: GatewayParts,
  request: HttpRequest,
  found: RouteMatch,
): Promise<HttpResponse> {
  const route = routeFor(found.routes, request.method);
  if (route === undefined) return otherMethod(request, found.routes);
  const { caller, problem } = admit(parts, request, route, found.params);
  if (problem !== null) return refused(route, problem);
  try {
    const { bodyBytesMax, readsBody = false } = route;
    const read = bodyBytesMax === 0 || readsBody ? noBody : await request.readBody(bodyBytesMax);
    if (!read.ok) return refused(route, read.problem);
    return await route.handle(routeRequest(request, found, caller, read.text));
  } catch (error) {
    return fault(parts, request, route, error);
  }
}

const noBody = { ok: true, text: "" } as const;

function routeRequest(
  request: HttpRequest,
  { params }: RouteMatch,
  caller: Caller,
  body: string,
): RouteRequest {
  const { id, query, header } = request;
  return { id, caller, params, query, header, body, incoming: request };
}

async function upgrade(
  parts: GatewayParts,
  request: HttpRequest,
  found: RouteMatch,
): Promise<HttpResponse | Upgrade> {
  const route = routeFor(found.routes, request.method);
  if (route === undefined) return otherMethod(request, found.routes);
  const { caller, problem } = admit(parts, request, route, found.params);
  if (problem !== null) return refused(route, problem);
  if (route.upgrade === undefined) {
    const message = `${route.pattern} is not for WebSockets: leave out the upgrade header.`;
    return refused(route, httpProblem(400, "upgrade_unsupported", message));
  }
  try {
    return await route.upgrade(routeRequest(request, found, caller, ""));
  } catch (error) {
    return fault(parts, request, route, error);
  }
}

/** Keys come before everything else: who has none learns nothing about the server. */
function admit(
  parts: GatewayParts,
  request: HttpRequest,
  route: Route,
  params: Readonly<Record<string, string>>,
): Verdict {
  const { caller, problem: found } = parts.guard(route.access, params, request);
  const problem = found ?? originProblem(parts.origins, request, route);
  if (problem !== null) {
    parts.onRefused(request, route, problem, caller.keyName);
    return { caller, problem };
  }
  if (caller.keyName !== null && route.method !== "GET")
    parts.onKeyUsed(request, route, caller.keyName);
  const isLate = route.startsWork && parts.draining();
  const message = "The server is stopping and takes no new work.";
  return { caller, problem: isLate ? httpProblem(503, "draining", message) : null };
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
  // What is not part of this server is no fault of it.
  if (problem.status < 500 || problem.status === 501) return refused(route, problem);
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
  const [route] = routes;
  const response = route === undefined ? problemResponse(problem) : refused(route, problem);
  return { ...response, headers: { ...response.headers, allow } };
}

function routeFor(routes: readonly Route[], method: string): Route | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  return routes.find((route) => route.method === wanted);
}

function methodsOf(route: Route): readonly string[] {
  return route.method === "GET" ? ["GET", "HEAD"] : [route.method];
}
