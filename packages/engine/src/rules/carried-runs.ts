// Runs that their app carries itself: it got a request, and runs step after step in it, telling us
// (protocol.md 6.3). Meanwhile a delayed discovery stands for the app. Each word of the app puts it off;
// once it is due the app is given up, and called like any other.
import type { Opcode } from "@pawl/protocol/opcode";
import type { EndpointCalled } from "../endpoint-commands.ts";
import type { CallJob, FunctionRecord, Job, RunRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { RunMetadata } from "../state/metadata-layer.ts";
import type { RunView } from "../state/view.ts";
import { discoveryCall, discoveryTarget, handOut, newCall } from "./calls.ts";
import { applyDefer } from "./defers.ts";
import { recordStepRun } from "./opcodes.ts";
import { takeAnswer } from "./take-answer.ts";

/** A run as it is when its app first tells of it, without anything that would make it go on. */
export function carriedRun(fn: FunctionRecord, command: EndpointCalled): RunView {
  const { runId, event, requestVersion, at } = command;
  const run: RunRecord = {
    id: runId,
    functionId: fn.id,
    appId: fn.appId,
    functionVersion: fn.version,
    status: "running",
    eventIds: [event.id],
    eventName: event.name,
    queuedAt: at,
    startedAt: at,
    endedAt: null,
    requestVersion,
    forcePlan: false,
    generation: 0,
    idleDiscoveries: 0,
    parent: null,
    coParents: [],
    originalRunId: null,
    endReason: null,
    gates: [],
    holds: [],
    priorityMs: 0,
    batchId: null,
    schedule: null,
  };
  const metadata = new RunMetadata([]);
  const [jobs, steps, defers] = [new Map(), new Map(), new Map()];
  return { run, jobs, steps, defers, events: [event], stateChars: 0, metadata };
}

/** Leaves a new run with its app. */
export function leaveWithApp(run: RunDraft, fn: FunctionRecord): void {
  const { at, state } = run.draft;
  const call = newCall(run, discoveryCall(run, fn, discoveryTarget));
  handOut(run, call, at + state.settings.endpointSilenceMs);
}

/**
 * The call that stands for the app which carries the run; undefined: the run is the server's. Any other
 * delayed discovery of a running run has been out before: its generation is above 0.
 */
export function carriedBy(
  run: Pick<RunRecord, "status">,
  job: Job | undefined,
): CallJob | undefined {
  const stands = job?.kind === "call" && job.id === discoveryTarget && job.generation === 0;
  return stands && job.state.at === "delayed" && run.status === "running" ? job : undefined;
}

/** Takes what an app tells of a run that it carries. Whatever is more than steps that ran ends that. */
export function takeFromApp(run: RunDraft, job: CallJob, opcodes: readonly Opcode[]): void {
  const { at, state } = run.draft;
  if (!opcodes.every(({ op }) => leavesWithApp.has(op))) {
    const answer = { kind: "opcodes", opcodes, retryAfterMs: null, requestVersion: null } as const;
    return takeAnswer(run, job, job.queuedAt, answer);
  }
  for (const opcode of opcodes) {
    if (opcode.op === "StepRun") recordStepRun(run, job, opcode, at);
    else if (opcode.op === "DeferAdd" || opcode.op === "DeferAbort") applyDefer(run, opcode);
  }
  if (!run.ended) handOut(run, job, at + state.settings.endpointSilenceMs);
}

/** What an app may tell of and go on. */
const leavesWithApp: ReadonlySet<Opcode["op"]> = new Set<Opcode["op"]>([
  "StepRun",
  "DeferAdd",
  "DeferAbort",
  "None",
]);
