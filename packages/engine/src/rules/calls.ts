// Call jobs: how they are made, handed out through a gate, retried and ended.
import { gatesToPass, limitBeside, limitOf, passesLeft } from "../flow/concurrency.ts";
import { cancelIfLate, hasBegun, limitFinish } from "../flow/timeouts.ts";
import { gateOfQueue, gatesOf, placedGates, placesOf, queueOf } from "../gate.ts";
import type { CallJob, FunctionRecord, KeptPlaces } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";

/** Target and id of the plain discovery call (protocol.md 2.1). */
export const discoveryTarget = "step";

/** A call as those who want it describe it; without `input` the step has its own. */
export type NewCall = Omit<
  CallJob,
  "kind" | "runId" | "generation" | "again" | "input" | "state" | "queuedAt"
> &
  Partial<Pick<CallJob, "input">>;

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
    gateway: null,
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
    input: call.input ?? null,
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
  const gates = gatesToPass(run.run, job);
  const here = gates.indexOf(gateOfQueue(state.gate));
  // Others took the room. Going back would give it the right to keep places before those ahead of it.
  if (here >= 0 && !hasRoom(run, gateOfQueue(state.gate))) return;
  const kept = placedGates(run.run, job, run.draft.state.settings.epoch);
  const full = gates.findIndex(
    (gate, i) =>
      !hasRoom(run, gate, kept.includes(gate)) || (i > here && run.draft.gate(gate).queued > 0),
  );
  const gate = gates[full];
  if (gate === undefined) return lease(run, job);
  if (full === here) return;
  const places = full < here ? placesAfterLoss(run, job, gate) : placesAhead(run, job, gate);
  const queue = queueOf(gate, run.run.functionId);
  run.putJob({ ...job, state: { ...state, gate: queue, kept: places } });
}

/**
 * A place that the call had passed is taken. From now on it keeps what it passes: else calls that
 * need only one of its places each could take turns for ever, and it never finds all free at once.
 */
function placesAfterLoss(run: RunDraft, job: CallJob, gate: string): KeptPlaces {
  const gates = gatesOf(run.run, job).indexOf(gate);
  const { epoch } = run.draft.state.settings;
  // The pause of a function comes before all others: who waits for it keeps nothing.
  return { epoch, gates: Math.min(placesOf(run.run, job, epoch), Math.max(0, gates)) };
}

/**
 * What a call keeps when it goes on to wait before `gate`: nothing unless it lost a place before,
 * and at each gate one call of a function does. Always the first gates without a gap, and all runs
 * have them in one order, so that those who keep places never wait for each other in a circle.
 */
function placesAhead(run: RunDraft, job: CallJob, gate: string): KeptPlaces | null {
  if (job.state.at !== "queued" || job.state.kept === null) return null;
  const { functionId } = run.run;
  const { epoch } = run.draft.state.settings;
  const gates = gatesOf(run.run, job);
  const own = placesOf(run.run, job, epoch);
  let count = own;
  for (const passed of gates.slice(own, gates.indexOf(gate))) {
    if (run.draft.keepers(passed).has(functionId)) break;
    count++;
  }
  return { epoch, gates: count };
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
  const gate = gatesToPass(run.run, job).find(
    (key) => !hasRoom(run, key) || draft.gate(key).queued > 0,
  );
  if (gate === undefined) return lease(run, job);
  const since = draft.at - run.run.priorityMs;
  const queue = queueOf(gate, run.run.functionId);
  run.putJob({ ...job, state: { at: "queued", gate: queue, since, kept: null } });
}

/** `kept`: the call itself has one of the places, which a lower limit may have taken away. */
function hasRoom(run: RunDraft, gate: string, kept = false): boolean {
  const { draft } = run;
  const { functionId } = run.run;
  const { inFlight } = draft.gate(gate);
  if (kept) return inFlight - 1 < limitOf(draft.state, gate, functionId);
  if (inFlight >= limitBeside(draft.state, draft.keepers(gate), gate, functionId)) return false;
  return passesLeft(draft.state, gate, functionId) > 0;
}

function lease(run: RunDraft, job: Omit<CallJob, "state">): void {
  const { at, state } = run.draft;
  const { epoch, leaseMs } = state.settings;
  run.putJob({ ...job, state: { at: "leased", epoch, leaseUntil: at + leaseMs } });
  if (!hasBegun(run)) {
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
