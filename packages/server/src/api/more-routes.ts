// The table of the routes that are loaded at the first request which `routes.ts` has no place for:
// they need schemas and libraries that a server which only runs functions never has to read.
import type { Route } from "../http/router.ts";
import { publishRoutes } from "../realtime/publish-routes.ts";
import { subscribeRoutes } from "../realtime/subscribe-routes.ts";
import type { ApiContext } from "./context.ts";
import { endpointOutputRoute } from "./endpoint-output.ts";
import { playgroundRoutes } from "./graphql/playground.ts";
import { graphqlRoute } from "./graphql/route.ts";
import { mcpRoute } from "./mcp/route.ts";
import { metricsRoute } from "./metrics.ts";
import { openApiRoute } from "./openapi-route.ts";
import { oldRunRoutes } from "./old-runs.ts";
import { functionMetricsRoute } from "./function-metrics.ts";
import { restBulkRoutes } from "./rest-bulk.ts";
import { restEventRoutes } from "./rest-events.ts";
import { restFunctionPauseRoutes } from "./rest-function-pause.ts";
import { restFunctionRoutes } from "./rest-functions.ts";
import { restMetadataRoutes } from "./rest-metadata.ts";
import { restRunListRoutes } from "./rest-run-lists.ts";
import { restDeferRoutes } from "./rest-defers.ts";
import { restRunRoutes } from "./rest-runs.ts";
import { restSignalRoutes } from "./rest-signals.ts";
import { restScheduleRoutes } from "./rest-schedules.ts";
import { traceRoutes } from "./traces.ts";
import { v2Routes } from "./v2/routes.ts";

/** Every route that `apiRoutes` does not list. */
export function moreRoutes(context: ApiContext): readonly Route[] {
  const described = [
    ...restEventRoutes(context),
    ...restRunListRoutes(context),
    ...restDeferRoutes(context),
    ...restRunRoutes(context),
    ...restMetadataRoutes(context),
    ...restBulkRoutes(context),
    ...restFunctionRoutes(context),
    ...restFunctionPauseRoutes(context),
    ...restSignalRoutes(context),
    ...restScheduleRoutes(context),
    endpointOutputRoute(context),
    ...subscribeRoutes(context),
    ...publishRoutes(context),
    ...traceRoutes(context),
    ...v2Routes(context),
  ];
  return [
    ...described,
    ...oldRunRoutes(context),
    graphqlRoute(context),
    ...playgroundRoutes(),
    metricsRoute(context),
    functionMetricsRoute(context),
    mcpRoute(context, described),
    openApiRoute(described),
  ];
}
