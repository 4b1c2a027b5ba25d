// Call jobs: how they are made, handed out through a gate, retried and ended.
import { gateOf } from "../gate.ts";
import type { CallJob, FunctionRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";

/** Target and id of the plain discovery call (protocol.md 2.1). */
export const discoveryTarget = "step";

type NewCall = Omit<CallJob, "kind" | "runId" | "generation" | "again" | "state" | "queuedAt">;

/** Adds a call job and hands it out: now, at `dueAt`, or through the gate's queue. */
export function addCall(run: RunDraft, call: NewCall, dueAt = run.draft.at): void {
  handOut(
    run,
    {
      ...call,
      kind: "call",
      runId: run.id,
      generation: run.generationFloor,
      again: false,
      queuedAt: run.draft.at,
    },
    dueAt,
  );
}

/** Gives an existing job another go with a new generation, so that older answers are known. */
export function callAgain(run: RunDraft, job: CallJob, attempt: number, dueAt: number): void {
  handOut(run, { ...job, attempt, generation: job.generation + 1, again: false }, dueAt);
}

/** Takes a call out of a gate's queue, or leaves it there when the room is gone again. */
export function admit(run: RunDraft, job: CallJob): void {
  if (run.draft.gateRoom(gateOf(run.run)).room > 0) lease(run, job);
}

/** The time of a delayed call has come. */
export function release(run: RunDraft, job: CallJob): void {
  handOut(run, job, run.draft.at);
}

function handOut(run: RunDraft, job: Omit<CallJob, "state">, dueAt: number): void {
  const { draft } = run;
  if (dueAt > draft.at) {
    run.putJob({ ...job, state: { at: "delayed", dueAt } });
    draft.effect({ type: "timer", runId: run.id, jobId: job.id, dueAt });
    return;
  }
  const gate = gateOf(run.run);
  const { room, queued } = draft.gateRoom(gate);
  // Those who wait go first: a new call does not pass them.
  if (room > 0 && queued === 0) lease(run, job);
  else run.putJob({ ...job, state: { at: "queued", gate, since: draft.at } });
}

function lease(run: RunDraft, job: Omit<CallJob, "state">): void {
  const { at, state } = run.draft;
  const { epoch, leaseMs } = state.settings;
  run.putJob({ ...job, state: { at: "leased", epoch, leaseUntil: at + leaseMs } });
  if (run.run.status === "queued") run.update({ status: "running", startedAt: at });
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
