// The request that calls a durable endpoint again (protocol.md 6.3): the one that it got, to the same
// URL with the same method and body, and headers that say for which run. Everything else the app fetches.
import type { CallJob } from "@pawl/engine/records";
import type { RunView } from "@pawl/engine/state/view";
import { readEndpointRequest } from "@pawl/protocol/endpoint-wire";
import {
  headerForceStepPlan,
  headerRequestVersion,
  headerRunId,
  headerStepId,
} from "@pawl/protocol/headers";
import type { Call } from "./driver.ts";

type Sent = Pick<Call, "url" | "body"> & { readonly http: NonNullable<Call["http"]> };

/** Throws when the run has no event, or its event is no request: faults of ours. */
export function endpointRequest({ run, events }: RunView, job: CallJob): Sent {
  const [event] = events;
  if (event === undefined) throw new Error(`run ${run.id} has no request`);
  const { origin, method, path, query, body, contentType } = readEndpointRequest(event.data);
  return {
    url: query === "" ? origin + path : `${origin}${path}?${query}`,
    body: method === "GET" || method === "HEAD" ? "" : body,
    http: {
      method,
      contentType,
      headers: {
        [headerRunId]: run.id,
        [headerStepId]: job.target,
        [headerRequestVersion]: String(run.requestVersion),
        [headerForceStepPlan]: String(run.forcePlan),
      },
    },
  };
}
