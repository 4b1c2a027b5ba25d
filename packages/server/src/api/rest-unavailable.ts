// Endpoints of the REST API v1 whose features this server does not have: they say so, with status
// 501 and the shape of any other refusal (protocol.md 8.2), so that callers can tell them from
// endpoints that do not exist.
import { httpProblem, problemResponse } from "../http/problem.ts";
import type { Route } from "../http/router.ts";

const missing: readonly (readonly [method: Route["method"], pattern: string, what: string])[] = [
  ["POST", "/v1/traces/userland", "Taking traces"],
];

/** The routes that answer 501. */
export function unavailableRoutes(): readonly Route[] {
  return missing.map(([method, pattern, what]) => ({
    method,
    pattern,
    access: "admin",
    bodyBytesMax: 0,
    anyOrigin: false,
    startsWork: false,
    handle: () =>
      problemResponse(
        httpProblem(501, "not_implemented", `${what} is not available on this server.`),
      ),
  }));
}
