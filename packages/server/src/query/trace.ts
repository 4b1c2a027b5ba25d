// The tree of what a run did and does: the run, its steps, and the attempts of those that took
// more than one. Made from records alone, the same for every API. It must not know stores, nor how
// an API writes a span.
import type { AttemptRecord, Job, RunRecord, StepOp, StepRecord } from "@pawl/engine/records";
import { manyOps } from "@pawl/engine/rules/steps";
import type { MetadataRecord } from "@pawl/engine/metadata-records";
import type { UserSpan } from "@pawl/engine/user-spans";
import { sliceObject } from "@pawl/protocol/json-span";
import { fromJsonText, type JsonText } from "@pawl/protocol/json-text";
import { outputIdOf } from "./output-id.ts";
import { infoOfStep, type SpanInfo } from "./step-info.ts";

export type SpanStatus =
  | "queued"
  | "running"
  | "waiting"
  | "completed"
  | "failed"
  | "cancelled"
  | "skipped";

/** Times are ms since the epoch. */
export interface Span {
  /** Unique within the run. */
  readonly id: string;
  readonly parentId: string | null;
  readonly runId: string;
  readonly name: string;
  readonly status: SpanStatus;
  /** Null for the run itself and for attempts of the function. */
  readonly op: StepOp | null;
  /** The hashed step id; null for the run. */
  readonly stepId: string | null;
  /** What the SDK calls the kind of step, as in `step.sendEvent`. */
  readonly stepType: string | null;
  /** Attempts begun so far; of an attempt its number, from 1. */
  readonly attempts: number;
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Null while there is no output. */
  readonly outputId: string | null;
  /** Step options as the app gave them; null: none. */
  readonly opts: JsonText | null;
  readonly info: SpanInfo | null;
  /** What was noted about it; put there by `span-metadata.ts`. */
  readonly metadata: readonly MetadataRecord[];
  /** What its app says of a span of user code; null for all others. */
  readonly user: UserSpan | null;
  readonly children: readonly Span[];
}

export interface TraceParts {
  readonly run: RunRecord;
  readonly functionName: string;
  readonly steps: readonly StepRecord[];
  readonly jobs: readonly Job[];
  /** Oldest first. */
  readonly attempts: readonly AttemptRecord[];
}

/** A job that is a step, or calls for one. */
export type OpenJob = Exclude<Job, { kind: "deadline" }>;

/** Stands for the function itself among step ids. */
const functionTarget = "step";
const rootId = "run";
/** Before the id of a span of user code. */
export const userSpanPrefix = "user.";

/** The span of the run, with everything below it in order of time. */
export function buildTrace(parts: TraceParts): Span {
  const { run, functionName } = parts;
  const attemptsByStep = Map.groupBy(parts.attempts, (attempt) => attempt.stepId);
  const ofFunction = attemptsByStep.get(functionTarget) ?? [];
  return {
    id: rootId,
    parentId: null,
    runId: run.id,
    name: functionName,
    status: run.status,
    op: null,
    stepId: null,
    stepType: null,
    attempts: ofFunction.length + (endedByFailure(run, ofFunction) ? 0 : 1),
    queuedAt: run.queuedAt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    outputId: run.endedAt === null ? null : outputIdOf({ kind: "run", runId: run.id }),
    opts: null,
    info: null,
    metadata: [],
    user: null,
    children: [
      ...ofFunction.map((attempt) => attemptSpan(attempt, rootId, null)),
      ...stepSpans(parts, attemptsByStep),
    ].sort(byTime),
  };
}

/** Whether the last attempt of the function is among the failed ones. */
function endedByFailure(run: RunRecord, attempts: readonly AttemptRecord[]): boolean {
  return run.endedAt !== null && attempts.at(-1)?.retryAt === null;
}

function byTime(a: Span, b: Span): number {
  return (a.startedAt ?? a.queuedAt) - (b.startedAt ?? b.queuedAt);
}

function stepSpans(
  { run, steps, jobs }: TraceParts,
  attemptsByStep: ReadonlyMap<string, readonly AttemptRecord[]>,
): readonly Span[] {
  const done = new Set(steps.map((step) => step.id));
  const open = jobs.filter(
    (job): job is OpenJob => !done.has(job.id) && job.kind !== "deadline" && !isDiscovery(job),
  );
  const known = new Set([...done, ...open.map((job) => job.id), functionTarget]);
  const triedOnly = [...attemptsByStep].filter(([stepId]) => !known.has(stepId));
  return [
    ...steps.map((step) => finishedSpan(run, step, attemptsByStep.get(step.id) ?? [])),
    ...open.map((job) => openSpan(job, attemptsByStep.get(job.id) ?? [])),
    ...triedOnly.map(([, attempts]) => triedSpan(run, attempts)),
  ].sort(byTime);
}

function isDiscovery(job: Job): boolean {
  return job.kind === "call" && job.target === functionTarget;
}

function finishedSpan(run: RunRecord, step: StepRecord, attempts: readonly AttemptRecord[]): Span {
  const id = `step.${step.id}`;
  const children = attempts.map((attempt) => attemptSpan(attempt, id, step.op));
  const last: Span = {
    id: `attempt.${step.id}.${String(step.attempts - 1)}`,
    parentId: id,
    runId: run.id,
    name: `Attempt ${String(step.attempts)}`,
    status: "completed",
    op: step.op,
    stepId: step.id,
    stepType: step.stepType,
    attempts: step.attempts,
    queuedAt: attempts.at(-1)?.retryAt ?? step.queuedAt,
    startedAt: step.startedAt,
    endedAt: step.endedAt,
    outputId: outputIdOf({ kind: "step", runId: run.id, stepId: step.id }),
    opts: null,
    info: null,
    metadata: [],
    user: null,
    children: [],
  };
  return {
    ...last,
    id,
    parentId: rootId,
    name: step.displayName,
    status: step.status,
    queuedAt: step.queuedAt,
    startedAt: attempts[0]?.startedAt ?? step.startedAt,
    opts: step.opts,
    info: infoOfStep(step),
    children: step.status === "completed" && children.length > 0 ? [...children, last] : children,
  };
}

/** A step that was tried, and is tried again by calling the function anew. */
function triedSpan(run: RunRecord, attempts: readonly AttemptRecord[]): Span {
  const [first] = attempts;
  const last = attempts.at(-1);
  if (first === undefined || last === undefined) throw new Error("a group of attempts is empty");
  const hasEnded = run.endedAt !== null;
  const id = `step.${first.stepId}`;
  return {
    ...attemptSpan(last, id, "run"),
    id,
    parentId: rootId,
    name: last.displayName,
    status: !hasEnded ? "queued" : run.status === "cancelled" ? "cancelled" : "failed",
    attempts: attempts.length,
    queuedAt: first.startedAt,
    startedAt: first.startedAt,
    endedAt: hasEnded ? last.endedAt : null,
    children: attempts.map((attempt) => attemptSpan(attempt, id, "run")),
  };
}

function attemptSpan(attempt: AttemptRecord, parentId: string, op: StepOp | null): Span {
  const { runId, stepId } = attempt;
  return {
    id: `attempt.${stepId}.${String(attempt.attempt)}`,
    parentId,
    runId,
    name: `Attempt ${String(attempt.attempt + 1)}`,
    status: "failed",
    op,
    stepId: stepId === functionTarget ? null : stepId,
    stepType: null,
    attempts: attempt.attempt + 1,
    queuedAt: attempt.startedAt,
    startedAt: attempt.startedAt,
    endedAt: attempt.endedAt,
    outputId: outputIdOf({ kind: "attempt", runId, stepId, attempt: attempt.attempt }),
    opts: null,
    info: null,
    metadata: [],
    user: null,
    children: [],
  };
}

function openSpan(job: OpenJob, attempts: readonly AttemptRecord[]): Span {
  const id = `step.${job.id}`;
  return {
    id,
    parentId: rootId,
    runId: job.runId,
    name: job.displayName,
    status: openStatus(job),
    op: opOfJob(job),
    stepId: job.id,
    stepType: job.stepType,
    attempts: attempts.length + (job.kind === "call" && job.state.at !== "leased" ? 0 : 1),
    queuedAt: job.queuedAt,
    startedAt: attempts[0]?.startedAt ?? (job.kind === "call" ? null : job.queuedAt),
    endedAt: null,
    outputId: null,
    opts: job.opts,
    info: infoOf(job),
    metadata: [],
    user: null,
    children: attempts.map((attempt) => attemptSpan(attempt, id, opOfJob(job))),
  };
}

/** What the step of a job does. */
export function opOfJob(job: OpenJob): StepOp {
  if (job.kind === "call") return job.gateway?.kind ?? "run";
  return job.kind === "waitMany" ? manyOps[job.mode] : opOf[job.kind];
}

const opOf = {
  sleep: "sleep",
  wait: "waitForEvent",
  signal: "waitForSignal",
  invoke: "invoke",
} as const satisfies Record<Exclude<OpenJob["kind"], "call" | "waitMany">, StepOp>;

function openStatus(job: OpenJob): SpanStatus {
  if (job.kind !== "call") return "waiting";
  return job.state.at === "leased" ? "running" : "queued";
}

function infoOf(job: OpenJob): SpanInfo | null {
  switch (job.kind) {
    case "call":
      return null;
    case "sleep":
      return { type: "sleep", until: job.dueAt };
    case "wait":
      return {
        type: "waitForEvent",
        event: job.event,
        expression: job.expression,
        until: job.dueAt,
      };
    case "waitMany":
      return {
        type: "waitForEvents",
        branches: job.branches.map(({ name, event, expression, received }) => ({
          name,
          event,
          expression,
          eventId: idOf(received),
        })),
        until: job.dueAt,
      };
    case "signal":
      return { type: "waitForSignal", signal: job.signal, until: job.dueAt };
    case "invoke":
      return {
        type: "invoke",
        functionSlug: job.functionSlug,
        childRunId: job.childRunId,
        until: job.dueAt,
      };
  }
}

/** The id of an event as apps see it; null when there is no event. */
function idOf(event: JsonText | null): string | null {
  const id = event === null ? undefined : sliceObject(event).get("id");
  const value = id === undefined ? null : fromJsonText(id);
  return typeof value === "string" ? value : null;
}
