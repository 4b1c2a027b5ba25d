// The table of all routes: the one place that lists what the server answers to.
import type { Route } from "../http/router.ts";
import { checkpointRoutes } from "./checkpoint.ts";
import type { ApiContext } from "./context.ts";
import { devInfoRoute } from "./dev-info.ts";
import { eventRoutes } from "./events.ts";
import { invokeRoute } from "./invoke.ts";
import { publicRoutes } from "./public.ts";
import { registrationRoutes } from "./registration.ts";
import { restEventRoutes } from "./rest-events.ts";
import { restFunctionRoutes } from "./rest-functions.ts";
import { restRunListRoutes } from "./rest-run-lists.ts";
import { restRunRoutes } from "./rest-runs.ts";
import { unavailableRoutes } from "./rest-unavailable.ts";
import { runStateRoutes } from "./run-state.ts";
import { timelineRoute } from "./timeline.ts";

/** Every route of the API, development-only ones included. */
export function apiRoutes(context: ApiContext): readonly Route[] {
  return [
    ...eventRoutes(context),
    ...checkpointRoutes(context),
    invokeRoute(context),
    ...registrationRoutes(context),
    ...runStateRoutes(context),
    ...restEventRoutes(context),
    ...restRunListRoutes(context),
    ...restRunRoutes(context),
    ...restFunctionRoutes(context),
    ...unavailableRoutes(),
    ...publicRoutes(context),
    devInfoRoute(context),
    timelineRoute(context),
  ];
}
