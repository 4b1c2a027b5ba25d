// Concurrency: how many calls may be out at once, for an app, a function and each value of a key.
// The values are taken when a run starts and kept with it; the limits are those of the function as
// it is registered now, so a redeploy changes them for runs that go on (protocol.md 9).
import type { ConcurrencyLimit } from "@pawl/protocol/flow-wire";
import {
  compareKeyGates,
  functionOfQueue,
  gateOfQueue,
  gatesOf,
  gatewayGate,
  keyGate,
  type Performed,
  pauseGate,
  queueOf,
} from "../gate.ts";
import type { EventRecord, FunctionRecord, RunRecord } from "../records.ts";
import type { StateView } from "../state/view.ts";
import { shortHash, valueHash } from "./key.ts";
import { flowOf } from "./rules.ts";

/** Few, and asked for with every call. */
const expressionHashes = new Map<string, string>();
const expressionHashesMax = 2_000;

type Turns = Pick<StateView, "queues" | "longestWait">;
type Places = Pick<StateView, "gate" | "keepers">;
type Limits = Pick<StateView, "settings" | "functionById">;

/** The gates of a function's concurrency keys for the event that starts a run. */
export function keyGates(fn: FunctionRecord, event: EventRecord, at: number): readonly string[] {
  const gates = new Set<string>();
  for (const { key, scope } of flowOf(fn).concurrency) {
    if (key === null) continue;
    gates.add(keyGate(scope, fn.id, expressionHash(key), valueHash(key, event, at)));
  }
  return [...gates].toSorted(compareKeyGates);
}

/** The gates that a call of a run must pass now, the narrowest first. */
export function gatesToPass(run: RunRecord, call: Performed): readonly string[] {
  const gates = gatesOf(run, call);
  return run.status === "queued" ? [pauseGate(run.functionId), ...gates] : gates;
}

/** How many calls may be out at a gate at once, for calls of a function; infinite: any number. */
export function limitOf(state: Limits, gate: string, functionId: string): number {
  const [kind] = gate.split(":", 1);
  if (kind === gatewayGate) return state.settings.gatewayCallsMax;
  if (kind === "app") return state.settings.callsPerAppMax;
  const fn = state.functionById(functionId);
  if (kind === "pause") return fn === undefined || fn.pausedAt === null ? Infinity : 0;
  return lowest(limitsAt(fn, gate));
}

/** The limits of a function that one of its own gates, or one of a key, stands for. */
export function limitsAt(
  fn: FunctionRecord | undefined,
  gate: string,
): readonly ConcurrencyLimit[] {
  const [kind, scope, , hash] = gate.split(":");
  return flowOf(fn).concurrency.filter(
    kind === "fn"
      ? ({ key }) => key === null
      : ({ key, scope: own }) => key !== null && own === scope && expressionHash(key) === hash,
  );
}

/**
 * How many calls of a queue its gate has room for: below the limits that hold for its function now,
 * and before it is the turn of the queue that waits longest.
 */
export function roomFor(state: Limits & Turns & Places, queue: string): number {
  const gate = gateOfQueue(queue);
  const functionId = functionOfQueue(queue);
  const free =
    limitBeside(state, state.keepers(gate), gate, functionId) - state.gate(gate).inFlight;
  return Math.max(0, Math.min(free, passesLeft(state, gate, functionId)));
}

/**
 * The limit for a call that takes a place at a gate now: that of its function, and of those that have
 * calls which keep places there. A call that keeps a place is yet to go out, and its limit has to hold
 * then: whoever exceeded it meanwhile would take the place away.
 */
export function limitBeside(
  state: Limits,
  keepers: ReadonlyMap<string, number>,
  gate: string,
  functionId: string,
): number {
  const all = [functionId, ...keepers.keys()];
  return Math.min(...all.map((id) => limitOf(state, gate, id)));
}

/**
 * How many calls others let pass a gate of so many places before it is the turn of a queue that waits,
 * with so many queues before it. More than queues with equal limits ever see while the shell has them take
 * turns: its own turn may be behind one of each other queue, L - 1 in its page and L - 1 in the page
 * that it went out with before, and a page that was read before it was there. So places are kept free for
 * those only that would else never find one: a function whose limit others always exceed.
 */
export function passesMax(places: number, queues: number): number {
  return 3 * places + queues;
}

/**
 * How many calls of a function may take places at a gate before only the queue may that waits longest
 * there. Infinite: that is its own, or nobody waits.
 */
export function passesLeft(state: Limits & Turns, gate: string, functionId: string): number {
  const longest = state.longestWait(gate);
  if (longest === null) return Infinity;
  const waiting = functionOfQueue(longest.queue);
  if (waiting === functionId) return Infinity;
  const limit = limitOf(state, gate, functionId);
  // Who has no limit there (any more) has the patience of who waits.
  const places = limit === Infinity ? limitOf(state, gate, waiting) : limit;
  // Its own queue counts whether it waits here or comes from another gate: the answer must be the same.
  const queues = state.queues(gate);
  const count = queues.size + Number(!queues.has(queueOf(gate, functionId)));
  return Math.max(0, passesMax(places, count) - longest.passed);
}

function expressionHash(expression: string): string {
  let hash = expressionHashes.get(expression);
  if (hash === undefined) {
    hash = shortHash(expression);
    if (expressionHashes.size >= expressionHashesMax) expressionHashes.clear();
    expressionHashes.set(expression, hash);
  }
  return hash;
}

/** A limit of 0 is none. */
function lowest(limits: readonly ConcurrencyLimit[]): number {
  return Math.min(Infinity, ...limits.map(({ limit }) => (limit === 0 ? Infinity : limit)));
}
