// Has a runtime's ended runs exported, when there is a collector. It must not know how they are sent.
import type { Clock } from "../loop/clock.ts";
import type { Log } from "../loop/log.ts";
import type { Runtime } from "../loop/runtime.ts";
import type { Queries } from "../query/queries.ts";
import type { OtlpOptions } from "./otlp-options.ts";
import { RunExport } from "./run-export.ts";

interface ExportOptions {
  readonly otlp: OtlpOptions | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Null: traces go nowhere. */
export function startExport(
  { otlp, clock, log }: ExportOptions,
  runtime: Runtime,
  queries: Queries,
): RunExport | null {
  if (otlp === null) return null;
  const endedRun = (runId: string) => queries.endedRun(runId);
  const traces = new RunExport({
    options: otlp,
    endedRun,
    loadSender: async () => (await import("./sender.ts")).createSender(otlp),
    clock,
    log,
  });
  runtime.onCommit((changes) => traces.committed(changes));
  return traces;
}
