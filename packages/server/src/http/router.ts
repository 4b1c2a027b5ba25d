// Finds the route of a path: a fixed table, split by its first segment, matched segment by
// segment. It must not know what routes do.
import type { Scope } from "../auth/scopes.ts";
import type { RouteRequest } from "./message.ts";
import type { Upgrade } from "./web-socket.ts";
import type { Problem } from "./problem.ts";
import type { HttpResponse } from "./response.ts";

/**
 * Who may use a route of a production server. Development servers let everybody in.
 *
 * - `public`: everybody.
 * - `dev`: nobody; the route exists on development servers only.
 * - `event`: senders with an event key in the path.
 * - `signed`: apps, with the signing key.
 * - `key`: any signing or API key; the route asks the caller for the scope of each part by itself.
 * - `token`: holders of a token in the query, which the route checks by itself, on every server.
 * - a scope: the signing key, and API keys that have the scope.
 */
export type Access = "public" | "dev" | "event" | "signed" | "key" | "token" | Scope;

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/v1/runs/:id`: segments that start with a colon match any one segment that is not empty. */
  readonly pattern: string;
  readonly access: Access;
  /** Longest body in bytes; 0 for a route that takes none (what is sent is ignored). */
  readonly bodyBytesMax: number;
  /** Pages of any origin may use it. */
  readonly anyOrigin: boolean;
  /** Takes new work, so it is refused while the server stops. */
  readonly startsWork: boolean;
  /** The route reads the body by itself, up to limits of its own (`RouteRequest.incoming`). */
  readonly readsBody?: boolean;
  /** What becomes of requests to go on as a WebSocket; absent: they are refused. */
  readonly upgrade?: (request: RouteRequest) => Promise<HttpResponse | Upgrade>;
  /** How this route's refusals are written; absent: as everybody's. */
  readonly refuse?: (problem: Problem) => HttpResponse;
  handle(request: RouteRequest): HttpResponse | Promise<HttpResponse>;
}

/** All routes at one path, and the variable parts of that path. */
export interface RouteMatch {
  readonly routes: readonly Route[];
  readonly params: Readonly<Record<string, string>>;
}

interface Path {
  readonly segments: readonly string[];
  readonly routes: Route[];
}

const noParams: Readonly<Record<string, string>> = {};

/** An immutable table of routes. Patterns must not overlap; the first that matches is taken. */
export class Router {
  readonly #byFirst = new Map<string, Path[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route);
  }

  /** Some route of the same family: a path beside it that leads nowhere is refused as it refuses. */
  neighbour(path: string): Route | undefined {
    const wanted = familyOf(path);
    const near = this.#byFirst.get(path.split("/")[1] ?? "") ?? [];
    return near.flatMap(({ routes }) => routes).find((route) => familyOf(route.pattern) === wanted);
  }

  /** Null: nothing is at this path. A parameter that is not valid percent-encoding matches nothing. */
  find(path: string): RouteMatch | null {
    const segments = path.split("/").slice(1);
    for (const candidate of this.#byFirst.get(segments[0] ?? "") ?? []) {
      const params = matchSegments(candidate.segments, segments);
      if (params !== null) return { routes: candidate.routes, params };
    }
    return null;
  }

  #add(route: Route): void {
    const segments = route.pattern.split("/").slice(1);
    const first = segments[0] ?? "";
    const paths = this.#byFirst.get(first) ?? [];
    this.#byFirst.set(first, paths);
    const known = paths.find((path) => path.segments.join("/") === segments.join("/"));
    if (known === undefined) paths.push({ segments, routes: [route] });
    else known.routes.push(route);
  }
}

/** The first segment, or two below `/api`. */
function familyOf(path: string): string | undefined {
  return /^\/(?:api\/)?[^/]*/.exec(path)?.[0];
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | null {
  if (pattern.length !== segments.length) return null;
  let params: Record<string, string> | null = null;
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== segment) return null;
      continue;
    }
    const value = segment === "" ? null : decodeSegment(segment);
    if (value === null) return null;
    params ??= {};
    params[part.slice(1)] = value;
  }
  return params ?? noParams;
}

function decodeSegment(segment: string): string | null {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
