// Waiting for events without a race: how a wait is indexed, how an event finds its waits, and how
// a wait looks back. Both sides are decided by one writer, so a concurrent pair meets exactly once.
import { sliceObject } from "@pawl/protocol/json-span";
import {
  fromJsonText,
  jsonNull,
  toJsonText,
  type JsonText,
  type JsonValue,
} from "@pawl/protocol/json-text";
import type { WaitForEventOpcode } from "@pawl/protocol/opcode";
import { compileExpression } from "../expression/compile.ts";
import { prune, readPaths } from "../expression/paths.ts";
import { ExpressionError } from "../expression/expression-error.ts";
import { eventValue } from "../event-value.ts";
import type { Draft } from "../draft.ts";
import type { Need } from "../needs.ts";
import type { EventRecord, StepRecord, WaitKey, WaitPosition, WaitRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { RunView, StateView } from "../state/view.ts";
import { eventKeys, waitKey } from "../waits/key.ts";
import { unwrap } from "./memo.ts";

/** The path under which waits without a usable equality are registered. */
export const noPath = "";

/**
 * Until when a wait looks back: every accepted event is in the past, also one that was stamped
 * before the clock was set back.
 */
const wholePast = Number.MAX_SAFE_INTEGER;

/** What a step asks for: an event by name and expression, and how far back it counts. */
export type Sought = Pick<WaitForEventOpcode, "event" | "expression" | "lookback">;

/** Why the expression of a wait cannot be used; null when it can. */
export function waitExpressionProblem(
  stepName: string,
  { event, expression }: Pick<Sought, "event" | "expression">,
): string | null {
  const problem = expressionProblem(expression);
  return problem === null
    ? null
    : `The expression of waitForEvent "${stepName}" (event "${event}") cannot be used: ${problem}`;
}

function expressionProblem(expression: string | null): string | null {
  if (expression === null) return null;
  try {
    compileExpression(expression);
    return null;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return error.message;
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
  { event, expression, lookback }: Sought,
  at: number,
): readonly Extract<Need, { kind: "pastEvents" }>[] {
  if (lookback === null || expressionProblem(expression) !== null) return [];
  const from = lookback === "run" ? beginningOf(run) : at - lookback;
  const key = waitKey(expression, triggerOf(run), at);
  const limit = state.settings.lookbackEventsMax;
  const base = { kind: "pastEvents", event, limit } as const;
  const indexedSince = key === null ? undefined : state.waitPaths(event).get(key.path)?.since;
  if (indexedSince === undefined) return [{ ...base, key: null, from, to: wholePast }];
  // Of the very ms in which the index began, some events may have been too early for it.
  const indexed = { ...base, key, from: Math.max(from, indexedSince + 1), to: wholePast };
  return from <= indexedSince
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
export function findPastEvent(run: RunDraft, sought: Sought): EventRecord | undefined {
  const { draft } = run;
  const view = draft.state.run(run.id);
  if (sought.lookback === null || view === undefined) return undefined;
  const trigger = triggerOf(run);
  const taken = takenEvents(run);
  for (const need of lookbackNeeds(draft.state, view, sought, draft.at)) {
    for (const event of draft.state.pastEvents(need)) {
      if (
        run.run.eventIds.includes(event.id) ||
        taken.has(toJsonText(event.externalId ?? event.id))
      )
        continue;
      if (matches(sought.expression, trigger, event, draft.at)) return event;
    }
  }
  return undefined;
}

/**
 * Ids, as JSON text, of events that another wait of this run has had: each resumes one wait at most.
 * What a wait for all events had when its time was over was shown to nobody, and is free again.
 */
function takenEvents(run: RunDraft): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const step of run.steps()) {
    if (step.status !== "completed" || step.memo === jsonNull) continue;
    for (const event of eventsIn(step)) addId(ids, event);
  }
  for (const job of run.jobs()) {
    if (job.kind !== "waitMany") continue;
    for (const { received } of job.branches) if (received !== null) addId(ids, received);
  }
  return ids;
}

function addId(ids: Set<string>, event: JsonText): void {
  const id = sliceObject(event).get("id");
  if (id !== undefined) ids.add(id);
}

/** The events in the memo of a step that waited for some and got them. */
function eventsIn({ op, memo }: StepRecord): readonly JsonText[] {
  switch (op) {
    case "waitForEvent":
      return [memo];
    case "waitForAny": {
      const event = sliceObject(unwrap(memo, "data")).get("event");
      return event === undefined ? [] : [event];
    }
    case "waitForAll":
      return [...sliceObject(unwrap(memo, "data")).values()];
    default:
      return [];
  }
}
