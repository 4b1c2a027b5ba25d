// `GET /v1/prom/{env}` (protocol.md 8.1): what each function does, for Prometheus. The names are those
// that dashboards made for the hosted product ask for; `app` is added. There is one environment: any
// name leads to it.
import { functionOfQueue } from "@pawl/engine/gate";
import type { EndedStatus } from "@pawl/engine/records";
import type { Route } from "../http/router.ts";
import {
  expositionType,
  writeExposition,
  type Family,
  type Sample,
} from "../metrics/exposition.ts";
import { otherFunctions, type FunctionCounts } from "../metrics/function-meter.ts";
import type { ApiContext } from "./context.ts";

/** The route. */
export function functionMetricsRoute(context: ApiContext): Route {
  return {
    method: "GET",
    pattern: "/v1/prom/:env",
    access: "metrics:read",
    bodyBytesMax: 0,
    anyOrigin: false,
    startsWork: false,
    handle: () => ({
      status: 200,
      headers: { "content-type": expositionType },
      body: writeExposition([...counters(context), ...gauges(context)]),
    }),
  };
}

const statusWords: Readonly<Record<EndedStatus, string>> = {
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
  skipped: "Skipped",
};

type Labels = Readonly<Record<string, string>>;

function counters(context: ApiContext): readonly Family[] {
  const rows = [...context.meter.functions.days].flatMap(([date, functions]) =>
    [...functions].map(([id, counts]) => ({ labels: { ...labelsOf(context, id), date }, counts })),
  );
  const family = (
    name: string,
    help: string,
    samplesOf: (counts: FunctionCounts, labels: Labels) => readonly Sample[],
  ): Family => ({
    name,
    help: `${help} since the server started, today and yesterday (UTC).`,
    type: "counter",
    samples: rows.flatMap(({ counts, labels }) => samplesOf(counts, labels)),
  });
  const one = (name: string, help: string, valueOf: (counts: FunctionCounts) => number): Family =>
    family(name, help, (counts, labels) => [{ labels, value: valueOf(counts) }]);
  return [
    one("inngest_function_run_scheduled_total", "Runs made", (one) => one.runsScheduled),
    one("inngest_function_run_started_total", "First calls of runs", (one) => one.runsStarted),
    family("inngest_function_run_ended_total", "Runs that ended", ({ runsEnded }, labels) =>
      (Object.keys(runsEnded) as EndedStatus[]) // proof: a record of exactly these keys
        .map((key) => ({ labels: { ...labels, status: statusWords[key] }, value: runsEnded[key] })),
    ),
    one("inngest_sdk_req_started_total", "Calls sent", (one) => one.callsStarted),
    family("inngest_sdk_req_ended_total", "Calls that ended", (counts, labels) => [
      { labels: { ...labels, status: "success" }, value: counts.callsAnswered },
      { labels: { ...labels, status: "failed" }, value: counts.callsFailed },
    ]),
    one("inngest_step_output_bytes_total", "Bytes of step results", (one) => one.outputBytes),
    one("pawl_function_steps_total", "Steps recorded", (one) => one.steps),
    one("pawl_function_failed_attempts_total", "Attempts that failed", (one) => one.failedAttempts),
  ];
}

/** Only functions with calls at this moment: whoever has none has no series, which reads as none. */
function gauges(context: ApiContext): readonly Family[] {
  const { backend, meter } = context;
  const waiting = new Map<string, number>();
  const queues = new Map<string, number>();
  for (const gate of backend.hot.gateKeys())
    for (const [queue, calls] of backend.hot.queues(gate)) queues.set(queue, calls);
  for (const [queue, calls] of queues) add(waiting, functionOfQueue(queue), calls);
  const samplesOf = (counts: ReadonlyMap<string, number>): readonly Sample[] => {
    const shown = new Map<string, number>();
    for (const [id, value] of counts) {
      const hasRoom = shown.has(id) || shown.size < meter.functions.functionsMax;
      add(shown, hasRoom ? id : otherFunctions, value);
    }
    return [...shown].map(([id, value]) => ({ labels: labelsOf(context, id), value }));
  };
  return [
    {
      name: "inngest_steps_scheduled",
      help: "Calls waiting for a place in the queues of gates.",
      type: "gauge",
      samples: samplesOf(waiting),
    },
    {
      name: "inngest_steps_running",
      help: "Calls sent to the app and not yet answered.",
      type: "gauge",
      samples: samplesOf(backend.callsByFunction()),
    },
  ];
}

function add(counts: Map<string, number>, key: string, value: number): void {
  counts.set(key, (counts.get(key) ?? 0) + value);
}

/** A function that is gone is shown by its id. */
function labelsOf({ queries }: ApiContext, functionId: string): Labels {
  if (functionId === otherFunctions) return { app: "other", fn: "other" };
  const found = queries.fn(functionId);
  return { app: found?.app.name ?? "", fn: found?.fn.slug ?? functionId };
}
