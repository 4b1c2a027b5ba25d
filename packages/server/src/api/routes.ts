// The table of the routes that apps and senders use. What only people and their tools ask for is in
// `more-routes.ts`, which is loaded when the first of them asks.
import type { Route } from "../http/router.ts";
import { checkpointRoutes } from "./checkpoint.ts";
import type { ApiContext } from "./context.ts";
import { devInfoRoute } from "./dev-info.ts";
import { endpointRunRoutes } from "./endpoint-runs.ts";
import { eventRoutes } from "./events.ts";
import { functionLimitRoutes } from "./function-limits.ts";
import { invokeRoute } from "./invoke.ts";
import { publicRoutes } from "./public.ts";
import { registrationRoutes } from "./registration.ts";
import { runStateRoutes } from "./run-state.ts";
import { timelineRoute } from "./timeline.ts";

/** The routes that are there from the start, development-only ones included. */
export function apiRoutes(context: ApiContext): readonly Route[] {
  return [
    ...eventRoutes(context),
    ...checkpointRoutes(context),
    ...endpointRunRoutes(context),
    invokeRoute(context),
    ...registrationRoutes(context),
    ...runStateRoutes(context),
    ...publicRoutes(context),
    devInfoRoute(context),
    ...functionLimitRoutes(context),
    timelineRoute(context),
  ];
}
