// Functions that a run starts when it has ended (protocol.md 5.6). They are noted while it goes on,
// each once, and sent as events in the decision that ends it. Nothing about them fails the run.
import { deferredEventName } from "@pawl/protocol/event-wire";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { DeferAbortOpcode, DeferAddOpcode } from "@pawl/protocol/opcode";
import type { DeferRecord } from "../defer-records.ts";
import type { EventRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { withInternal } from "./lifecycle.ts";

/** Deferrals beyond those that may be scheduled of which the reason is kept, for people. */
const refusedMax = 100;

const noInput = "{}" as JsonText; // proof: an empty object is JSON

/** Notes what an opcode says about a deferral. */
export function applyDefer(run: RunDraft, opcode: DeferAddOpcode | DeferAbortOpcode): void {
  if (run.ended) return;
  if (opcode.op === "DeferAdd") addDefer(run, opcode);
  else abortDefer(run, opcode);
}

/** The first of an id counts, whatever a later one says. */
function addDefer(run: RunDraft, opcode: DeferAddOpcode): void {
  if (run.defer(opcode.id) !== undefined) return;
  const problem = opcode.problem ?? limitProblem(run, opcode);
  const { id, userId, functionSlug, input, meta } = opcode;
  const shared = { id, userId, functionSlug, eventId: null };
  if (problem === null) note(run, { ...shared, status: "scheduled", input, meta, reason: null });
  else note(run, { ...shared, status: "rejected", input: noInput, meta: null, reason: problem });
}

/** An app that aborts at once sends only this: without a deferral there is nothing to do. */
function abortDefer(run: RunDraft, { targetId }: DeferAbortOpcode): void {
  const known = run.defer(targetId);
  if (known?.status !== "scheduled") return;
  run.putDefer({ ...known, status: "aborted", input: noInput, meta: null });
}

/** Keeps a new one, unless there are too many to keep even the reason. */
function note(run: RunDraft, defer: Omit<DeferRecord, "seq" | "addedAt">): void {
  const { at, state } = run.draft;
  const seq = run.deferCount;
  if (seq >= state.settings.defersPerRunMax + refusedMax) return;
  run.putDefer({ ...defer, seq, addedAt: at });
}

/** Why one more cannot be scheduled; null: it can. Aborted ones count, but not their input. */
function limitProblem(run: RunDraft, { input, meta }: DeferAddOpcode): string | null {
  const { defersPerRunMax, deferCharsMax, deferCharsPerRunMax } = run.draft.state.settings;
  const chars = sizeOf({ input, meta });
  if (chars > deferCharsMax)
    return `its input has ${chars} characters of JSON; the limit is ${deferCharsMax} (setting deferCharsMax)`;
  let count = 0;
  let sum = chars;
  for (const defer of run.defers()) {
    if (defer.status === "rejected") continue;
    count += 1;
    sum += sizeOf(defer);
  }
  if (count >= defersPerRunMax)
    return `the run has deferred ${count} functions; the limit is ${defersPerRunMax} (setting defersPerRunMax)`;
  if (sum > deferCharsPerRunMax)
    return `the inputs of all deferred functions of the run have ${sum} characters of JSON with this one; the limit is ${deferCharsPerRunMax} (setting deferCharsPerRunMax)`;
  return null;
}

function sizeOf({ input, meta }: Pick<DeferRecord, "input" | "meta">): number {
  return input.length + (meta?.length ?? 0);
}

/** Sends what is scheduled, in order, at the end of the run. */
export function sendDefers(run: RunDraft): void {
  const scheduled = Array.from(run.defers()).filter(({ status }) => status === "scheduled");
  if (scheduled.length === 0) return;
  const events = scheduled.map((defer) => deferredEvent(run, defer));
  for (const [at, defer] of scheduled.entries()) {
    // The input goes on in the event.
    const eventId = events[at]?.id ?? null;
    run.putDefer({ ...defer, status: "sent", input: noInput, meta: null, eventId });
  }
  run.draft.send({ type: "events.received", events, resendable: false });
}

function deferredEvent(run: RunDraft, defer: DeferRecord): EventRecord {
  const { at, random, state } = run.draft;
  const internal = toJsonText({
    fn_slug: defer.functionSlug,
    parent_fn_slug: state.functionById(run.run.functionId)?.slug ?? run.run.functionId,
    parent_run_id: run.id,
    defer_id: defer.id,
  });
  return {
    id: random.ulid(at),
    name: deferredEventName,
    // The key by which each function takes it once.
    externalId: `${run.id}.${defer.id}`,
    ts: at,
    receivedAt: at,
    data: withInternal(defer.input, internal),
    user: null,
    version: null,
    meta: defer.meta,
  };
}
