// `GET /metrics` (protocol.md 8.1): what the server does, for Prometheus. On a production server
// the scraper sends the signing key as a bearer token.
import type { HotState } from "@pawl/engine/state/hot-state";
import { everyRun } from "@pawl/store/run-filter";
import type { Route } from "../http/router.ts";
import {
  counter,
  expositionType,
  gauge,
  writeExposition,
  type Family,
  type Sample,
} from "../metrics/exposition.ts";
import { realtimeFamilies } from "../realtime/families.ts";
import type { ApiContext } from "./context.ts";

/** The route. */
export function metricsRoute(context: ApiContext): Route {
  return {
    method: "GET",
    pattern: "/metrics",
    access: "metrics:read",
    bodyBytesMax: 0,
    anyOrigin: false,
    startsWork: false,
    handle: async () => ({
      status: 200,
      headers: { "content-type": expositionType },
      body: writeExposition([
        ...gauges(context),
        ...(await openRuns(context)),
        ...counters(context),
        ...exportFamilies(context),
        gatewayRequests(context),
        ...realtimeFamilies(context.realtime.hub.counts),
      ]),
    }),
  };
}

function gauges({ backend }: ApiContext): readonly Family[] {
  const { callsUnderWay, commandsWaiting, timersInMemory, runsInMemory } = backend.counts;
  const queued = queuedCalls(backend.hot);
  return [
    gauge("inngest_queue_depth", "Calls waiting for a place in the queues of gates.", queued),
    gauge("pawl_calls_queued", "Calls waiting for a place in the queues of gates.", queued),
    gauge("pawl_calls_in_flight", "Calls sent to apps and not yet answered.", callsUnderWay),
    gauge("pawl_commands_waiting", "Commands waiting to be decided.", commandsWaiting),
    gauge("pawl_timers_loaded", "Timers held in memory.", timersInMemory),
    gauge("pawl_runs_loaded", "Runs held in memory.", runsInMemory),
  ];
}

/** A queue may stand before several gates; its calls count once. */
function queuedCalls(hot: HotState): number {
  const queues = new Map<string, number>();
  for (const gate of hot.gateKeys()) {
    for (const [queue, calls] of hot.queues(gate)) queues.set(queue, calls);
  }
  return [...queues.values()].reduce((total, calls) => total + calls, 0);
}

/** Runs that have not ended are few beside those that have: only they are counted in the store. */
async function openRuns({ queries }: ApiContext): Promise<readonly Family[]> {
  const samples = await Promise.all(
    (["queued", "running"] as const).map(async (status): Promise<Sample> => {
      const value = await queries.countRuns({ ...everyRun, statuses: [status] });
      return { labels: { status }, value };
    }),
  );
  return [{ name: "pawl_runs", help: "Runs that have not ended.", type: "gauge", samples }];
}

function counters({ meter }: ApiContext): readonly Family[] {
  const ended = Object.entries(meter.runsEnded).map(([status, value]) => ({
    labels: { status },
    value,
  }));
  return [
    {
      name: "pawl_runs_ended_total",
      help: "Runs that ended since the server started.",
      type: "counter",
      samples: ended,
    },
    counter("pawl_runs_started_total", "Runs made since the server started.", meter.runsStarted),
    counter("pawl_events_total", "Events stored since the server started.", meter.events),
    counter("pawl_steps_total", "Steps recorded since the server started.", meter.steps),
    counter(
      "pawl_failed_attempts_total",
      "Attempts that failed since the server started.",
      meter.failedAttempts,
    ),
    counter("pawl_commit_failures_total", "Commits that the store refused.", meter.commitFailures),
    {
      name: "pawl_commit_changes",
      help: "Record writes in one commit.",
      type: "histogram",
      histogram: meter.commitChanges,
    },
    {
      name: "pawl_commit_seconds",
      help: "Time of one commit, synced to disk.",
      type: "histogram",
      histogram: meter.commitSeconds,
    },
  ];
}

/** Nothing on servers that send no traces. */
function exportFamilies({ exportCounts }: ApiContext): readonly Family[] {
  const counts = exportCounts();
  if (counts === null) return [];
  return [
    gauge("pawl_otlp_runs_waiting", "Ended runs whose traces wait to be sent.", counts.runsWaiting),
    counter("pawl_otlp_spans_sent_total", "Spans that the collector took.", counts.spansSent),
    counter(
      "pawl_otlp_spans_dropped_total",
      "Spans that the collector did not take.",
      counts.spansDropped,
    ),
    counter(
      "pawl_otlp_runs_dropped_total",
      "Ended runs whose traces were not sent: the queue was full, or they could not be read.",
      counts.runsDropped,
    ),
  ];
}

function gatewayRequests({ meter }: ApiContext): Family {
  const samples = Object.entries(meter.gatewayRequests).flatMap(([step, outcomes]) =>
    Object.entries(outcomes).map(([outcome, value]) => ({ labels: { step, outcome }, value })),
  );
  const help = "Requests performed for step.fetch and step.ai.infer since the server started.";
  return { name: "pawl_gateway_requests_total", help, type: "counter", samples };
}
