// The way from an event to a run (protocol.md 5.1): what may keep a function from starting, and what
// a new run takes along. In order: repeats, an open batch, the rate limit, a debounced run that waits, the singleton, the
// backlog, then a new run.
import type { Draft } from "../draft.ts";
import type { EventRecord, FunctionRecord, RunParent, RunSchedule } from "../records.ts";
import type { RunOrigin } from "../schedule-records.ts";
import { discoveryCall, discoveryTarget } from "../rules/calls.ts";
import { newRun } from "../rules/start-run.ts";
import type { RunDraft } from "../run-draft.ts";
import { skippedMemo } from "../rules/finish-run.ts";
import { backlogProblem } from "./backlog.ts";
import { listenForCancel } from "./cancel-on.ts";
import { batchKey, isFull, joinBatch } from "./batch.ts";
import { debounceKey, debouncedUntil, joinDebounced } from "./debounce.ts";
import { addFirstCall, moveFirstCall } from "./first-call.ts";
import { eventIdKeys, idempotencyKeys, type StartKind } from "./idempotency.ts";
import { holdSchedule } from "./holds.ts";
import { gateKey, newRunId, startsHere } from "./placement.ts";
import { passRateLimit } from "./rate-limit.ts";
import { flowOf } from "./rules.ts";
import { isGathering, openSlot } from "./slots.ts";
import { singletonProblem, takeSingleton, wantSingleton } from "./singleton.ts";
import { throttleKey } from "./throttle.ts";

/** Who asks for a start. */
export interface Caller {
  /** The id that the new run gets; null for a fresh one. */
  readonly runId: string | null;
  /** The invoke step that waits for it. */
  readonly parent: RunParent | null;
  readonly kind: StartKind;
  /** The schedule whose tick this is. */
  readonly schedule?: RunSchedule;
}

/** What became of it: a run with the event, or why there is none that will run. */
export type Start =
  | { readonly run: RunDraft; readonly problem: null }
  /** `repeats`: the run that was started for the same key. */
  | {
      readonly run: null;
      readonly problem: string;
      readonly repeats?: string;
      readonly isRateLimited?: true;
    };

type NotStarted = Extract<Start, { run: null }>;

/** A start that nobody waits for. */
const byTrigger: Caller = { runId: null, parent: null, kind: "trigger" };

/** What came of a trigger. */
export interface Triggering {
  /** Null: flow control did not let it start, or it starts elsewhere. */
  readonly run: RunDraft | null;
  /** By which the schedule of the origin knows the run; null: there is none. */
  readonly runId: string | null;
  readonly problem: string | null;
}

/** Starts a function by its trigger, or sends the start to the owner of the gate that decides it. */
export function trigger(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  origin: RunOrigin | null = null,
): Triggering {
  if (startsHere(draft.state, fn, event)) {
    const start = startFunction(draft, fn, event, triggered(origin));
    const runId = start.run?.id ?? null;
    if (start.run !== null) holdSchedule(start.run, origin, start.run.id);
    return { ...start, runId };
  }
  const gate = gateKey(draft.state, fn, event);
  const runId = newRunId(draft, fn, event);
  draft.send({
    type: "run.triggered",
    gate,
    functionId: fn.id,
    event,
    ...(origin === null ? null : { origin: { ...origin, runId } }),
  });
  return { run: null, runId, problem: null };
}

/** A start by a trigger, with the schedule that it comes from. */
export function triggered(origin: RunOrigin | null): Caller {
  return origin === null ? byTrigger : { ...byTrigger, schedule: origin.schedule };
}

/** Starts a function with an event, as its flow control allows. Tells an invoker of a refusal. */
export function startFunction(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  caller: Caller,
): Start {
  const keys = idempotencyKeys(fn, event, draft.at, caller.kind);
  const holder = keys.map((key) => draft.idempotency(key)).find((runId) => runId !== undefined);
  if (holder !== undefined) {
    const problem = `idempotency: run ${holder} was started for the same key`;
    return { ...refuse(draft, fn, caller, problem), repeats: holder };
  }
  const batch = appended(draft, fn, event, caller);
  if (batch !== null) return started(draft, batch, keys);
  const limited = passRateLimit(draft, fn, event);
  if (limited !== null) return { ...skip(draft, fn, event, caller, limited), isRateLimited: true };
  const waiting = putOff(draft, fn, event, caller);
  if (waiting !== null) return started(draft, waiting, keys);
  const gathers = batchKey(fn, event, draft.at) !== null || flowOf(fn).debounce !== null;
  const singleton = gathers ? null : singletonProblem(draft, fn, event);
  const problem = singleton ?? backlogProblem(draft, fn);
  if (problem !== null) return skip(draft, fn, event, caller, problem);
  return started(draft, begin(draft, fn, event, caller), keys);
}

function started(draft: Draft, run: RunDraft, keys: readonly string[]): Start {
  for (const key of keys) draft.holdKey(key, run.id);
  // What it gathered was complete at once, and it may not start.
  if (run.run.status === "skipped") return { run: null, problem: run.run.endReason ?? "" };
  return { run, problem: null };
}

/** Records a run that does not start, with the reason. */
function skip(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  caller: Caller,
  problem: string,
): NotStarted {
  const run = newRun(draft, fn, event, caller);
  run.update({ status: "skipped", endedAt: draft.at, endReason: problem });
  for (const key of eventIdKeys(fn, event, caller.kind)) draft.holdKey(key, run.id);
  return refuse(draft, fn, caller, problem);
}

/** Adds the event to the open batch, which goes out when that fills it; null: there is none. */
function appended(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  caller: Caller,
): RunDraft | null {
  const slot = joinBatch(draft, fn, event, caller.parent);
  if (slot !== null && isFull(slot.run, fn)) moveFirstCall(slot, draft.at);
  return slot?.run ?? null;
}

/** Puts off the run that waits for events to stop; null: there is none. */
function putOff(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  caller: Caller,
): RunDraft | null {
  const joined = joinDebounced(draft, fn, event, caller.parent);
  if (joined === null) return null;
  if (joined.dueAt !== null) moveFirstCall(joined.slot, joined.dueAt);
  return joined.slot.run;
}

function begin(draft: Draft, fn: FunctionRecord, event: EventRecord, caller: Caller): RunDraft {
  const run = newRun(draft, fn, event, caller);
  const throttle = throttleKey(fn, event, draft.at);
  if (throttle !== null) run.update({ holds: [...run.run.holds, throttle] });
  const dueAt = openFor(run, fn, event);
  if (isGathering(run)) wantSingleton(run, fn, event);
  else takeSingleton(run, draft, fn, event);
  addFirstCall(run, discoveryCall(run, fn, discoveryTarget), dueAt);
  return run;
}

/** When the first call of a new run is due: at its event's time, or when its slot closes. */
function openFor(run: RunDraft, fn: FunctionRecord, event: EventRecord): number {
  const { at, random } = run.draft;
  const batch = batchKey(fn, event, at);
  if (batch !== null) {
    run.update({ batchId: random.ulid(at) });
    openSlot(run, batch);
    // Which of its events should say what cancels it? So nothing does (protocol.md 5.1).
    return isFull(run, fn) ? at : at + (flowOf(fn).batch?.timeoutMs ?? 0);
  }
  listenForCancel(run, fn);
  const debounce = debounceKey(fn, event, at);
  if (debounce === null) return event.ts;
  openSlot(run, debounce);
  return debouncedUntil(run, fn);
}

/** An invoker must not wait for a run that will not come. */
function refuse(draft: Draft, fn: FunctionRecord, caller: Caller, problem: string): NotStarted {
  if (caller.parent !== null) {
    const memo = skippedMemo(fn.slug, problem);
    const { runId, jobId } = caller.parent;
    const childRunId = caller.runId ?? "";
    draft.send({ type: "child.ended", runId, jobId, childRunId, memo, failed: true });
  }
  return { run: null, problem };
}
