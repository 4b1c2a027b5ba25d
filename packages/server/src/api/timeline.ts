// `GET /dev/timeline`: every transition of runs and steps from now on, as newline-delimited JSON,
// for people who watch. A reader that falls behind loses lines and is told how many; commits
// never wait for it.
import type { Change } from "@pawl/engine/changes";
import type { Job, StepOp } from "@pawl/engine/records";
import type { HotState } from "@pawl/engine/state/hot-state";
import type { Route } from "../http/router.ts";
import { opOfJob } from "../query/trace.ts";
import type { ApiContext } from "./context.ts";

/** One line of the feed. `at` is when the commit was announced, ms since the epoch. */
export type TimelineLine =
  | {
      readonly type: "run";
      readonly at: number;
      readonly runId: string;
      readonly functionSlug: string;
      readonly eventName: string;
      readonly status: string;
      readonly queuedAt: number;
      readonly startedAt: number | null;
      readonly endedAt: number | null;
    }
  | {
      readonly type: "step";
      readonly at: number;
      readonly runId: string;
      readonly step: string;
      readonly op: string;
      readonly status: "completed" | "failed";
      readonly attempts: number;
      readonly startedAt: number;
      readonly endedAt: number;
    }
  /** A failed attempt; `retryAt` is null when it was the last. */
  | {
      readonly type: "attempt";
      readonly at: number;
      readonly runId: string;
      readonly step: string;
      readonly attempt: number;
      readonly startedAt: number;
      readonly endedAt: number;
      readonly retryAt: number | null;
    }
  /** A step began to sleep or to wait; `until` is its end at the latest. */
  | {
      readonly type: "waiting";
      readonly at: number;
      readonly runId: string;
      readonly step: string;
      readonly op: StepOp;
      readonly until: number;
    }
  /** This many lines were left out because the reader was too slow. */
  | { readonly type: "dropped"; readonly at: number; readonly lines: number };

const linesMax = 10_000;

/** The feed's route; it exists on development servers only. */
export function timelineRoute(context: ApiContext): Route {
  return {
    method: "GET",
    pattern: "/dev/timeline",
    access: "dev",
    bodyBytesMax: 0,
    anyOrigin: false,
    startsWork: false,
    handle: () => ({
      status: 200,
      headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
      body: follow(context),
    }),
  };
}

/** The line of a change; null for changes that people do not watch. */
export function timelineLine(change: Change, hot: HotState, at: number): TimelineLine | null {
  switch (change.type) {
    case "run.put": {
      const { id, functionId, eventName, status, queuedAt, startedAt, endedAt } = change.run;
      const functionSlug = hot.functionById(functionId)?.slug ?? functionId;
      return {
        type: "run",
        at,
        runId: id,
        functionSlug,
        eventName,
        status,
        queuedAt,
        startedAt,
        endedAt,
      };
    }
    case "step.put": {
      const { displayName, op, status, attempts, startedAt, endedAt } = change.step;
      return {
        type: "step",
        at,
        runId: change.runId,
        step: displayName,
        op,
        status,
        attempts,
        startedAt,
        endedAt,
      };
    }
    case "attempt.put": {
      const { runId, displayName, attempt, startedAt, endedAt, retryAt } = change.attempt;
      return {
        type: "attempt",
        at,
        runId,
        step: displayName,
        attempt,
        startedAt,
        endedAt,
        retryAt,
      };
    }
    case "job.put":
      return waitingLine(change.job, at);
    default:
      return null;
  }
}

function waitingLine(job: Job, at: number): TimelineLine | null {
  if (job.kind === "call" || job.kind === "deadline") return null;
  const { runId, displayName: step, dueAt: until } = job;
  return { type: "waiting", at, runId, step, op: opOfJob(job), until };
}

/** Whether a run was written without a change of its status; `statuses` keeps those not ended. */
function isRepeat(line: TimelineLine, statuses: Map<string, string>): boolean {
  if (line.type !== "run") return false;
  if (statuses.get(line.runId) === line.status) return true;
  if (line.endedAt === null) statuses.set(line.runId, line.status);
  else statuses.delete(line.runId);
  return false;
}

/** Subscribes at once, so that nothing is missed between the answer's head and its first line. */
function follow(context: ApiContext): AsyncIterable<string> & AsyncIterator<string> {
  let lines: string[] = [];
  let dropped = 0;
  const statuses = new Map<string, string>();
  let open = true;
  let wake: (() => void) | null = null;
  const rouse = (): void => {
    wake?.();
    wake = null;
  };
  const stopListening = context.backend.onCommit((changes) => {
    const at = context.now();
    for (const change of changes) {
      const line = timelineLine(change, context.backend.hot, at);
      if (line === null || isRepeat(line, statuses)) continue;
      if (lines.length < linesMax) lines.push(`${JSON.stringify(line)}\n`);
      else dropped += 1;
    }
    rouse();
  });
  const next = async (): Promise<IteratorResult<string>> => {
    while (open && lines.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    if (!open) return { done: true, value: undefined };
    if (dropped > 0) {
      const line: TimelineLine = { type: "dropped", at: context.now(), lines: dropped };
      lines.push(`${JSON.stringify(line)}\n`);
      dropped = 0;
    }
    const value = lines.join("");
    lines = [];
    return { done: false, value };
  };
  const stop = async (): Promise<IteratorResult<string>> => {
    open = false;
    stopListening();
    rouse();
    return { done: true, value: undefined };
  };
  return { next, return: stop, [Symbol.asyncIterator]: () => ({ next, return: stop }) };
}
