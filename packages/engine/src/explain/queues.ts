// Why a call waits in a queue: the gate, who has its places, how many go first, and when it may be
// its turn. It must not know how the calls ahead were counted.
import { toJsonText } from "@pawl/protocol/json-text";
import { limitOf, limitsAt, passesLeft, passesMax, roomFor } from "../flow/concurrency.ts";
import { valueOf } from "../flow/key.ts";
import { functionOfQueue, gateOfQueue, gatewayGate } from "../gate.ts";
import type { CallJob } from "../records.ts";
import { reason, type GateReason, type QueuePlace, type Reason } from "./explanation.ts";
import { callFacts, subject } from "./subject.ts";
import type { ExplainInput, ExplainState } from "./input.ts";
import { moment, span } from "./words.ts";

const holdersShown = 5;
const valueCharsMax = 200;

/** The reason of a call in a queue. */
export function queuedReason(
  state: ExplainState,
  input: ExplainInput,
  job: CallJob,
  queue: string,
  since: number,
): Reason {
  const gate = gateReason(state, input, gateOfQueue(queue));
  const about = { ...callFacts(job), sinceAt: since + input.stored.run.priorityMs, gate };
  if (gate.kind === "pause") return pausedReason(state, input, job, about);
  const keptFor = functionKeptFor(state, gate.name, input.stored.run.functionId);
  const place = placeOf(state, input, job, queue, gate);
  const taken = gate.limit === null ? "" : `: ${String(gate.taken)} of ${String(gate.limit)} taken`;
  const others =
    place.othersAhead === 0
      ? ""
      : `; up to ${String(place.othersAhead)} calls of other functions may go first, as functions take turns`;
  const expected =
    place.expectedAt === null
      ? "When it is its turn is not known yet."
      : `Its turn is expected about ${moment(place.expectedAt, input.at)}, ${place.expectedFrom ?? ""}.`;
  return reason({
    kind: "queued",
    ...about,
    place,
    sentence: `${subject(job)} waits for a place at ${gateWords(gate)}${taken}${holdersOf(gate)}. ${keptWords(keptFor)}It is number ${String(place.place)} of ${String(place.queued)} in the queue${others}. ${expected}`,
    next: queueAdvice(gate, input, keptFor),
  });
}

/** The slug of another function for which free places are kept; null: none. */
function functionKeptFor(state: ExplainState, gate: string, functionId: string): string | null {
  const keptFor = waitsLongest(state, gate, functionId) ?? keepsBelow(state, gate, functionId);
  return keptFor === null ? null : (state.functionById(keptFor)?.slug ?? keptFor);
}

/** The function that waits longest, once it is its turn alone. */
function waitsLongest(state: ExplainState, gate: string, functionId: string): string | null {
  const longest = state.longestWait(gate);
  if (longest === null || passesLeft(state, gate, functionId) > 0) return null;
  return functionOfQueue(longest.queue);
}

/** A function that keeps a place, and whose limit has no room beside it. */
function keepsBelow(state: ExplainState, gate: string, functionId: string): string | null {
  const { inFlight } = state.gate(gate);
  if (inFlight >= limitOf(state, gate, functionId)) return null;
  for (const id of state.keepers(gate).keys()) if (inFlight >= limitOf(state, gate, id)) return id;
  return null;
}

function keptWords(keptFor: string | null): string {
  if (keptFor === null) return "";
  return `Function ${keptFor} is next there: until it has gone out within its limit, free places are kept for it. `;
}

function holdersOf({ heldBy, taken }: GateReason): string {
  if (heldBy.length === 0) return "";
  const more = taken > heldBy.length ? " and others" : "";
  return `, by ${heldBy.map((id) => `run ${id}`).join(", ")}${more}`;
}

function pausedReason(
  state: ExplainState,
  { at, stored }: ExplainInput,
  job: CallJob,
  about: Partial<Reason>,
): Reason {
  const fn = state.functionById(stored.run.functionId);
  const slug = fn?.slug ?? stored.run.functionId;
  const pausedAt = fn?.pausedAt ?? null;
  return reason({
    kind: "paused",
    ...about,
    sinceAt: pausedAt,
    sentence:
      pausedAt === null
        ? `${subject(job)} waited for function ${slug} to be resumed and is about to go on.`
        : `Function ${slug} was paused by people at ${moment(pausedAt, at)}, so its runs do not start. They keep their order.`,
    next:
      pausedAt === null
        ? "Nothing: ask again in a moment."
        : `Resume the function: POST /v1/functions/${slug}/resume.`,
  });
}

function gateReason(state: ExplainState, input: ExplainInput, gate: string): GateReason {
  const { run, events } = input.stored;
  const limit = limitOf(state, gate, run.functionId);
  const kind = kindOf(gate);
  const [rule] = kind === "key" ? limitsAt(state.functionById(run.functionId), gate) : [];
  const [event] = events;
  const expression = rule?.key ?? null;
  const value =
    expression === null || event === undefined
      ? null
      : toJsonText(valueOf(expression, event, run.queuedAt));
  return {
    kind,
    name: gate,
    scope: rule?.scope ?? null,
    expression,
    value:
      value === null || value.length <= valueCharsMax ? value : `${value.slice(0, valueCharsMax)}…`,
    limit: limit === Infinity ? null : limit,
    taken: state.gate(gate).inFlight,
    heldBy: kind === "pause" ? [] : state.holders(gate, holdersShown),
  };
}

function kindOf(gate: string): GateReason["kind"] {
  const [kind] = gate.split(":", 1);
  if (kind === "app") return "app";
  if (kind === "pause") return "pause";
  if (kind === gatewayGate) return "gateway";
  return kind === "fn" ? "function" : "key";
}

function placeOf(
  state: ExplainState,
  input: ExplainInput,
  job: CallJob,
  queue: string,
  gate: GateReason,
): QueuePlace {
  const ahead = input.ahead.get(job.id) ?? 0;
  const queues = state.queues(gate.name);
  let queued = 0;
  let othersAhead = 0;
  let places = gate.limit;
  for (const [name, count] of queues) {
    const limit = limitOf(state, gate.name, functionOfQueue(name));
    // Who has a higher limit finds places that this queue does not, until it has waited too long.
    const isHigher = gate.limit !== null && limit > gate.limit;
    if (isHigher && limit !== Infinity) places = Math.max(places ?? 0, limit);
    if (name === queue) queued = count;
    else
      othersAhead += Math.min(count, (ahead + 1) * (isHigher ? passesMax(limit, queues.size) : 1));
  }
  const room = { free: roomFor(state, queue), places };
  const expected = expectation(input, room, ahead + othersAhead);
  // The store may know of calls that memory has let go meanwhile, and the other way round.
  return { place: ahead + 1, queued: Math.max(queued, ahead + 1), othersAhead, ...expected };
}

/** Each place lets one call pass every mean time of a call. */
function expectation(
  { at, callTimes }: ExplainInput,
  { free, places }: { readonly free: number; readonly places: number | null },
  ahead: number,
): Pick<QueuePlace, "expectedAt" | "expectedFrom"> {
  if (free > ahead) return { expectedAt: at, expectedFrom: "as the gate has room" };
  if (callTimes === null || places === null || places <= 0)
    return { expectedAt: null, expectedFrom: null };
  const turns = (ahead + 1 - free) / places;
  const { meanMs, count } = callTimes;
  return {
    expectedAt: at + Math.ceil(turns * meanMs),
    expectedFrom: `an estimate from the mean of ${span(meanMs)} that the last calls of the function took (${String(count)} counted)`,
  };
}

function gateWords(gate: GateReason): string {
  switch (gate.kind) {
    case "app":
      return "the gate of its app (setting callsPerAppMax)";
    case "gateway":
      return "the gate of requests that the server performs (setting gatewayCallsMax)";
    case "function":
      return "its function's concurrency limit";
    case "pause":
      return "its paused function";
    case "key": {
      const key = gate.expression ?? gate.name;
      const value = gate.value === null ? "" : ` = ${gate.value}`;
      const scope = gate.scope === null || gate.scope === "fn" ? "" : `, scope ${gate.scope},`;
      return `the concurrency key ${key}${value}${scope}`;
    }
  }
}

function queueAdvice(gate: GateReason, { stored }: ExplainInput, keptFor: string | null): string {
  if (keptFor !== null)
    return `Nothing: it goes on once function ${keptFor} has had its turn, as calls that are out end.`;
  if (gate.limit === null || gate.taken < gate.limit)
    return "Nothing: it goes on as soon as a server looks at the queue. Ask again in a moment.";
  const wait = `Wait, or see what has the places: pawl explain ${gate.heldBy.find((id) => id !== stored.run.id) ?? "<run>"}.`;
  if (gate.kind === "app") return `${wait} Or raise --calls-per-app-max, if the app can take more.`;
  if (gate.kind === "gateway") return `${wait} Or raise --gateway-calls-max.`;
  return `${wait} Or raise the limit in the function's concurrency; it holds for runs that wait, too.`;
}
