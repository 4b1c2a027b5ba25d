// Where requests of browsers come from: which pages may use which routes, and under which names a
// server without keys may be reached. It must not know routes' work or keys.
import { isIP } from "node:net";
import type { HttpRequest } from "./message.ts";
import { httpProblem, type Problem } from "./problem.ts";
import type { Route } from "./router.ts";

/** What the server was told about browsers. */
export interface Origins {
  /** Origins whose pages may use every route, such as `https://ops.example.com`. */
  readonly pages: readonly string[];
  /**
   * Names under which a server that asks for no keys may be reached, besides those that cannot
   * belong to a stranger; null: the server asks for keys, or is open to its network anyway.
   */
  readonly hosts: readonly string[] | null;
}

type Asked = Pick<HttpRequest, "header">;

/** Ingestion takes events from pages of any origin (protocol.md 4). */
const anyOriginHeaders = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*",
  "access-control-max-age": "86400",
};

/** `*` would not cover `authorization`. No credentials: keys are sent by hand, never by browsers. */
const listedOriginHeaders = {
  "access-control-allow-headers":
    "authorization, content-type, mcp-protocol-version, x-inngest-env",
  "access-control-max-age": "600",
  vary: "origin",
};

/** Headers for browsers on whatever is answered at a path; null: there are none. */
export function corsHeaders(
  origins: Origins,
  request: Asked,
  routes: readonly Route[],
): Readonly<Record<string, string>> | null {
  const methods = [...new Set(["OPTIONS", ...routes.map((route) => route.method)])].join(", ");
  if (routes.some((route) => route.anyOrigin))
    return { ...anyOriginHeaders, "access-control-allow-methods": methods };
  if (origins.pages.length === 0) return null;
  const origin = request.header("origin");
  if (origin === null || !origins.pages.includes(origin)) return { vary: "origin" };
  return {
    ...listedOriginHeaders,
    "access-control-allow-origin": origin,
    "access-control-allow-methods": methods,
  };
}

/** Why a browser may not use a route from where it is; null when it may, or is none. */
export function originProblem(origins: Origins, request: Asked, route: Route): Problem | null {
  if (route.anyOrigin || route.access === "public") return null;
  const host = request.header("host");
  if (origins.hosts !== null && host !== null && !isOwnName(host, origins.hosts)) {
    return httpProblem(
      403,
      "host_refused",
      "This development server asks for no keys, so it answers only under names of this machine; allow another with --allowed-hosts.",
    );
  }
  const origin = request.header("origin");
  if (origin === null || origins.pages.includes(origin)) return null;
  // A page of the server itself. Browsers send the origin with whatever changes something.
  if (URL.parse(origin)?.host === host) return null;
  return httpProblem(
    403,
    "origin_refused",
    "Pages of other origins may not use this route; allow one with --cors-origins.",
  );
}

/**
 * Whether a `host` header holds a name that no stranger can point at this machine: an address, a
 * name without a dot, or one under a top-level domain that is never given away. A page of another
 * name may have been brought here by its DNS server, to use a server that trusts its own machine.
 */
function isOwnName(host: string, allowed: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
  if (isIP(name.replace(/^\[|\]$/g, "")) !== 0 || !name.includes(".")) return true;
  return /\.(localhost|internal|local|test)$/.test(name) || allowed.includes(name);
}

/** Whether an address is reachable from its own machine only. Null is the default, loopback. */
export function isLoopback(host: string | null): boolean {
  return host === null || host === "localhost" || host === "::1" || host.startsWith("127.");
}
