// Call jobs: how they are made, handed out through a gate, retried and ended.
import { gatesToPass, limitOf } from "../flow/concurrency.ts";
import { cancelIfLate, limitFinish } from "../flow/timeouts.ts";
import { gateOfQueue, queueOf } from "../gate.ts";
import type { CallJob, FunctionRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";

/** Target and id of the plain discovery call (protocol.md 2.1). */
export const discoveryTarget = "step";

type NewCall = Omit<CallJob, "kind" | "runId" | "generation" | "again" | "state" | "queuedAt">;

/** Adds a call job and hands it out: now, or through a queue. */
export function addCall(run: RunDraft, call: NewCall): void {
  handOut(run, newCall(run, call), run.draft.at);
}

/** A discovery under a job id. */
export function discoveryCall(run: RunDraft, fn: FunctionRecord | undefined, id: string): NewCall {
  return {
    id,
    target: discoveryTarget,
    displayName: fn?.name ?? run.run.functionId,
    userId: null,
    userIndex: 0,
    stepType: null,
    opts: null,
    parallel: false,
    race: false,
    attempt: 0,
    attemptsMax: attemptsMaxOf(run, fn, null),
  };
}

/** A call job that is yet to be handed out. */
export function newCall(run: RunDraft, call: NewCall): Omit<CallJob, "state"> {
  return {
    ...call,
    kind: "call",
    runId: run.id,
    generation: run.generationFloor,
    again: false,
    queuedAt: run.draft.at,
  };
}

/** Gives an existing job another go with a new generation, so that older answers are known. */
export function callAgain(run: RunDraft, job: CallJob, attempt: number, dueAt: number): void {
  handOut(run, { ...job, attempt, generation: job.generation + 1, again: false }, dueAt);
}

/**
 * Takes a call out of a queue when all its gates have room; else it waits before the first that has
 * none, in the place that its time gives it. At the gates ahead others may be waiting longer: it
 * queues there as a new call does. It goes back only to a gate that is full again.
 */
export function admit(run: RunDraft, job: CallJob): void {
  const { state } = job;
  if (state.at !== "queued" || cancelIfLate(run)) return;
  const gates = gatesToPass(run.run);
  const passed = gates.indexOf(gateOfQueue(state.gate));
  const gate = gates.find(
    (key, i) => !hasRoom(run, key) || (i > passed && run.draft.gate(key).queued > 0),
  );
  if (gate === undefined) return lease(run, job);
  const queue = queueOf(gate, run.run.functionId);
  if (queue !== state.gate) run.putJob({ ...job, state: { ...state, gate: queue } });
}

/** The time of a delayed call has come. */
export function release(run: RunDraft, job: CallJob): void {
  handOut(run, job, run.draft.at);
}

/** Gives the job its next place: to a driver now, to a queue, or to the timers until `dueAt`. */
export function handOut(run: RunDraft, job: Omit<CallJob, "state">, dueAt: number): void {
  const { draft } = run;
  if (dueAt > draft.at) {
    run.putJob({ ...job, state: { at: "delayed", dueAt } });
    draft.effect({ type: "timer", runId: run.id, jobId: job.id, dueAt });
    return;
  }
  if (cancelIfLate(run)) return;
  // Those who wait go first: a new call does not pass them.
  const gate = gatesToPass(run.run).find((key) => !hasRoom(run, key) || draft.gate(key).queued > 0);
  if (gate === undefined) return lease(run, job);
  const since = draft.at - run.run.priorityMs;
  const queue = queueOf(gate, run.run.functionId);
  run.putJob({ ...job, state: { at: "queued", gate: queue, since } });
}

function hasRoom(run: RunDraft, gate: string): boolean {
  const { draft } = run;
  return draft.gate(gate).inFlight < limitOf(draft.state, gate, run.run.functionId);
}

function lease(run: RunDraft, job: Omit<CallJob, "state">): void {
  const { at, state } = run.draft;
  const { epoch, leaseMs } = state.settings;
  run.putJob({ ...job, state: { at: "leased", epoch, leaseUntil: at + leaseMs } });
  if (run.run.status === "queued") {
    run.update({ status: "running", startedAt: at });
    limitFinish(run);
  }
  run.draft.effect({ type: "call", runId: run.id, jobId: job.id, generation: job.generation });
}

/** Attempts of a function, or of a step that names its own retries. */
export function attemptsMaxOf(
  run: RunDraft,
  fn: FunctionRecord | undefined,
  retries: number | null,
): number {
  const { retriesDefault, retriesMax } = run.draft.state.settings;
  return Math.min(retries ?? fn?.retries ?? retriesDefault, retriesMax) + 1;
}
