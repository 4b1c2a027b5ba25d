// Searching by expression: which stretches of an order to look at, whether a record passes, and when
// a page has looked at enough. Both stores answer by this. It must not know how they walk.
import { compileExpression, type Compiled } from "@pawl/engine/expression/compile";
import { expressionLimits } from "@pawl/engine/expression/limits";
import { readPaths } from "@pawl/engine/expression/paths";
import { eventValue } from "@pawl/engine/event-value";
import type { EventRecord, RunRecord, WaitKey } from "@pawl/engine/records";
import { constantKeys } from "@pawl/engine/waits/key";
import { sliceObject } from "@pawl/protocol/json-span";
import { fromJsonText, type JsonText, type JsonValue } from "@pawl/protocol/json-text";
import type { ListQuery, Searched } from "./store.ts";

/**
 * Characters of payload that one page looks into, at most: beside the number of records what bounds
 * its time. The cost of evaluations counts as the characters that it stands for.
 */
export const searchCharsMax = 64 * 1024 * 1024;

/** A stretch of the order of events, newest first; times are inclusive, null: open. */
export interface Stretch {
  readonly name: string | null;
  /** Only events that are indexed under it. */
  readonly key: WaitKey | null;
  readonly from: number | null;
  readonly until: number | null;
}

type EventSearch = Extract<ListQuery, { type: "searchEvents" }>;

/** What an expression demands of every event for which it is true, as the index has it. */
export interface IndexedDemand {
  readonly name: string;
  readonly key: WaitKey;
  /** Events of the name that came behind this are indexed by the key's path. */
  readonly since: number;
}

/** `since` of the path by which events of a name are indexed; null when they are not. */
export type IndexedSince = (name: string, path: string) => number | null;

function demandsOf(expression: string, at: number, given: string | null) {
  const demands = constantKeys(compileExpression(expression), at);
  const demanded = demands.find(({ key }) => key.path === "name")?.value;
  return { demands, name: given ?? (typeof demanded === "string" ? demanded : null) };
}

/** The most selective demand that an index serves; null: none. */
export function indexedDemand(
  { expression, at }: { readonly expression: string; readonly at: number },
  given: string | null,
  indexedSince: IndexedSince,
): IndexedDemand | null {
  const { demands, name } = demandsOf(expression, at, given);
  if (name === null) return null;
  for (const { key } of demands) {
    const since = indexedSince(name, key.path);
    if (since !== null) return { name, key, since };
  }
  return null;
}

/**
 * The stretches that hold every event which passes, in the order of the list. When the name is known
 * and its events are indexed by a path of which the expression demands a value, what came since then
 * is found by the index.
 */
export function stretchesOf(query: EventSearch, indexedSince: IndexedSince): readonly Stretch[] {
  const { expression, at, receivedFrom: from, receivedUntil: until } = query;
  const indexed = indexedDemand(query, query.name, indexedSince);
  if (indexed === null) {
    return [{ name: demandsOf(expression, at, query.name).name, key: null, from, until }];
  }
  const { name, key, since } = indexed;
  const stretches = [
    { name, key, from: Math.max(from ?? since + 1, since + 1), until },
    // Of the very ms in which the index began, some events may have been too early for it.
    { name, key: null, from, until: Math.min(until ?? since, since) },
  ];
  return stretches.filter(
    (one) => one.from === null || one.until === null || one.from <= one.until,
  );
}

/** Whether a record passes, and how many characters of work it was to find out. */
export interface Look {
  readonly passes: boolean;
  readonly chars: number;
}

/** Goes through the records of one page. `place` tells where a record stands in the list. */
export function searchPage<T, Place>(
  items: Iterable<T>,
  { limit, scanMax }: { readonly limit: number; readonly scanMax: number },
  look: (item: T) => Look,
  place: (item: T) => Place,
): Searched<T, Place> {
  const found: T[] = [];
  let scanned = 0;
  let chars = 0;
  let next: Place | null = null;
  for (const item of items) {
    if (found.length >= limit || scanned >= scanMax || chars >= searchCharsMax) {
      return { found, scanned, next };
    }
    const looked = look(item);
    scanned += 1;
    chars += looked.chars;
    next = place(item);
    if (looked.passes) found.push(item);
  }
  return { found, scanned, next: null };
}

function lookAt(compiled: Compiled, bindings: Record<string, JsonValue>, at: number): Look {
  const { passes, cost } = compiled.measure(bindings, at);
  return { passes, chars: cost * expressionLimits.charsPerCost };
}

/** Tests events: `event` is the event. */
export function eventTest(expression: string, at: number): (event: EventRecord) => Look {
  const compiled = compileExpression(expression);
  return (event) => {
    const { passes, chars } = lookAt(compiled, { event: eventValue(event) }, at);
    return { passes, chars: chars + event.data.length };
  };
}

/** Tests runs: `event` is one of the events that started it, `output` what it came to, `run` the run. */
export interface RunTest {
  /** Whether the expression reads the output at all. */
  readonly readsOutput: boolean;
  readonly test: (run: RunRecord, events: readonly EventRecord[], output: JsonText | null) => Look;
}

/** A run passes when the expression is true for any of its events. */
export function runTest(expression: string, at: number): RunTest {
  const compiled = compileExpression(expression);
  const reads = (root: string): boolean => {
    const paths = readPaths(compiled, root);
    return paths === "all" || paths.length > 0;
  };
  return {
    readsOutput: reads("output"),
    test: (record, events, outputText) => {
      const output = outputValue(outputText);
      const run = runValue(record);
      let chars = outputText?.length ?? 0;
      // Without its events, which retention may have taken, the rest can still be asked for.
      const values = events.length === 0 ? [null] : events.map(eventValue);
      for (const [index, event] of values.entries()) {
        const look = lookAt(compiled, { event, output, run }, at);
        chars += look.chars + (events[index]?.data.length ?? 0);
        if (look.passes) return { passes: true, chars };
      }
      return { passes: false, chars };
    },
  };
}

/** What a run returned, or the error it failed with. What is not wrapped is data. */
function outputValue(text: JsonText | null): JsonValue {
  if (text === null) return null;
  const members = text.startsWith("{") ? sliceObject(text) : null;
  return fromJsonText(members?.get("error") ?? members?.get("data") ?? text);
}

/** Statuses as the APIs write them, times in ms since the epoch. */
function runValue(run: RunRecord): JsonValue {
  return {
    id: run.id,
    status: run.status.toUpperCase(),
    function_id: run.functionId,
    app_id: run.appId,
    event_name: run.eventName,
    queued_at: run.queuedAt,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    end_reason: run.endReason,
  };
}
