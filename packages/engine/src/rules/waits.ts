// Waiting for events without a race: how a wait is indexed, how an event finds its waits, and how
// a wait looks back. Both sides are decided by one writer, so a concurrent pair meets exactly once.
import { sliceObject } from "@pawl/protocol/json-span";
import { fromJsonText, jsonNull, toJsonText, type JsonValue } from "@pawl/protocol/json-text";
import type { WaitForEventOpcode } from "@pawl/protocol/opcode";
import { compileExpression } from "../expression/compile.ts";
import { prune, readPaths } from "../expression/paths.ts";
import { ExpressionError } from "../expression/expression-error.ts";
import { eventValue } from "../event-value.ts";
import type { Draft } from "../draft.ts";
import type { Need } from "../needs.ts";
import type { EventRecord, WaitKey, WaitPosition, WaitRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { RunView, StateView } from "../state/view.ts";
import { eventKeys, waitKey } from "../waits/key.ts";

/** The path under which waits without a usable equality are registered. */
export const noPath = "";

/**
 * Until when a wait looks back: every accepted event is in the past, also one that was stamped
 * before the clock was set back.
 */
const wholePast = Number.MAX_SAFE_INTEGER;

/** Why the expression of a wait cannot be used; null when it can. */
export function waitExpressionProblem(opcode: WaitForEventOpcode): string | null {
  if (opcode.expression === null) return null;
  try {
    compileExpression(opcode.expression);
    return null;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return `The expression of waitForEvent "${opcode.displayName}" (event "${opcode.event}") cannot be used: ${error.message}`;
  }
}

/** The event that started a run, as expressions see it. */
export function triggerOf(run: Pick<RunView, "events">): JsonValue {
  const first = run.events[0];
  return first === undefined ? null : eventValue(first);
}

/** Writes the index entry of a wait, and the path it uses when that is new. */
export function indexWait(
  run: RunDraft,
  asked: Pick<WaitForEventOpcode, "id" | "event" | "expression">,
  expiresAt: number,
): void {
  const { draft } = run;
  const { event, expression } = asked;
  const trigger = triggerOf(run);
  const key = waitKey(expression, trigger, draft.at);
  const path = key?.path ?? noPath;
  const known = draft.state.waitPaths(event).get(path);
  if (known?.waits !== true) {
    const since = known?.since ?? draft.at;
    draft.write({ type: "waitPath.put", waitPath: { event, path, since, waits: true } });
  }
  const wait: WaitRecord = {
    runId: run.id,
    jobId: asked.id,
    event,
    key,
    expression,
    trigger: toJsonText(
      expression === null
        ? null
        : prune(trigger, readPaths(compileExpression(expression), "event")),
    ),
    expiresAt,
  };
  run.addWait(wait);
}

/** Whether an event satisfies a wait; `trigger` is the run's event. */
export function matches(
  expression: string | null,
  trigger: JsonValue,
  candidate: EventRecord,
  at: number,
): boolean {
  if (expression === null) return true;
  return compileExpression(expression).test({ event: trigger, async: eventValue(candidate) }, at);
}

/** The keys under which waits for this event may stand; null is the key of those without one. */
export function* keysOf(state: StateView, event: EventRecord): Generator<WaitKey | null> {
  const paths = state.waitPaths(event.name);
  if (paths.size === 0) return;
  for (const key of indexKeys(state, event)) if (paths.get(key.path)?.waits === true) yield key;
  if (paths.has(noPath)) yield null;
}

/** The event's values at the paths by which its name is indexed. */
export function indexKeys(state: StateView, event: EventRecord): readonly WaitKey[] {
  const paths = state.waitPaths(event.name);
  if (paths.size === 0) return [];
  const named = [...paths.keys()].filter((path) => path !== noPath);
  return named.length === 0 ? [] : eventKeys(eventValue(event), named);
}

/** Tells the runs whose wait this event satisfies; one page of waits, the rest by a message. */
export function deliver(
  draft: Draft,
  event: EventRecord,
  key: WaitKey | null,
  after: WaitPosition | null,
): void {
  const limit = draft.state.settings.waitsPageSize;
  const { waits, next } = draft.state.waits(event.name, key, after, limit);
  for (const wait of waits) {
    if (wait.expiresAt <= draft.at) continue;
    if (!matches(wait.expression, fromJsonText(wait.trigger), event, draft.at)) continue;
    draft.send({ type: "wait.matched", runId: wait.runId, jobId: wait.jobId, event });
  }
  if (next !== null) draft.send({ type: "waits.continued", event, key, after: next });
}

/** What must be loaded for a wait to look back: by index since the path is known, by name before. */
export function lookbackNeeds(
  state: StateView,
  run: RunView,
  opcode: WaitForEventOpcode,
  at: number,
): readonly Extract<Need, { kind: "pastEvents" }>[] {
  if (opcode.lookback === null || waitExpressionProblem(opcode) !== null) return [];
  const from = opcode.lookback === "run" ? beginningOf(run) : at - opcode.lookback;
  const key = waitKey(opcode.expression, triggerOf(run), at);
  const limit = state.settings.lookbackEventsMax;
  const base = { kind: "pastEvents", event: opcode.event, limit } as const;
  const indexedSince =
    key === null ? undefined : state.waitPaths(opcode.event).get(key.path)?.since;
  if (indexedSince === undefined) return [{ ...base, key: null, from, to: wholePast }];
  const indexed = { ...base, key, from: Math.max(from, indexedSince), to: wholePast };
  return from < indexedSince
    ? [{ ...base, key: null, from, to: indexedSince }, indexed]
    : [indexed];
}

/**
 * When the event that started a run arrived. Events are stamped on arrival and decided later, so
 * one that was sent right after it may be stamped before the run was created.
 */
function beginningOf(run: RunView): number {
  return Math.min(run.run.queuedAt, ...run.events.map((event) => event.receivedAt));
}

/** The oldest event within the look-back that satisfies the wait and was not taken before. */
export function findPastEvent(run: RunDraft, opcode: WaitForEventOpcode): EventRecord | undefined {
  const { draft } = run;
  const view = draft.state.run(run.id);
  if (opcode.lookback === null || view === undefined) return undefined;
  const trigger = triggerOf(run);
  const taken = takenEvents(run);
  for (const need of lookbackNeeds(draft.state, view, opcode, draft.at)) {
    for (const event of draft.state.pastEvents(need)) {
      if (
        run.run.eventIds.includes(event.id) ||
        taken.has(toJsonText(event.externalId ?? event.id))
      )
        continue;
      if (matches(opcode.expression, trigger, event, draft.at)) return event;
    }
  }
  return undefined;
}

/** Ids, as JSON text, of events that an earlier wait of this run has had: each resumes one wait at most. */
function takenEvents(run: RunDraft): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const step of run.steps()) {
    if (step.op !== "waitForEvent" || step.status !== "completed") continue;
    const id = step.memo === jsonNull ? undefined : sliceObject(step.memo).get("id");
    if (id !== undefined) ids.add(id);
  }
  return ids;
}
