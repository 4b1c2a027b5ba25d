// The index of waits: the value that an expression demands of the incoming event, as a path and a
// hash. Guarantee: when an expression is true for an event, the event has the wait's key. This file
// must not know how keys are stored.
import type { JsonValue } from "@pawl/protocol/json-text";
import { sha1Hex } from "@pawl/protocol/sha1";
import { compileExpression, type Compiled } from "../expression/compile.ts";
import { constantEqualities, equalityPairs, type EqualityPair } from "../expression/equalities.ts";
import { parsePath, valueAt } from "../expression/paths.ts";
import type { WaitKey } from "../records.ts";

const hashDigits = 16;

/**
 * The text that stands for a value in the index; null for null, lists and objects, which are not
 * indexed: null equals what is missing, and deep values rarely decide.
 */
function keyText(value: JsonValue): string | null {
  if (value === null || typeof value === "object") return null;
  // A number that JSON can write but not hold is infinite, and evaluates to its name.
  if (typeof value === "number" && !Number.isFinite(value)) return JSON.stringify(String(value));
  return JSON.stringify(value);
}

function keyOf(path: string, value: JsonValue): WaitKey | null {
  const text = keyText(value);
  return text === null ? null : { path, hash: sha1Hex(text).slice(0, hashDigits) };
}

/** Lower is better: values that differ from run to run, and of many possible values, first. */
function rank(pair: EqualityPair, value: JsonValue): number {
  return (isFlag(value) ? 2 : 0) + (pair.constant ? 1 : 0);
}

/**
 * The key under which a wait is registered: that of the most selective equality between the
 * incoming event and a value known now; null when the expression is null or has none. `at` is the
 * time of the evaluation. Throws ExpressionError when the expression does not compile.
 */
export function waitKey(
  expression: string | null,
  triggerEvent: JsonValue,
  at: number,
): WaitKey | null {
  if (expression === null) return null;
  let best: WaitKey | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const pair of equalityPairs(compileExpression(expression))) {
    const result = pair.other.evaluate({ event: triggerEvent }, at);
    const key = result.ok ? keyOf(pair.asyncPath, result.value) : null;
    if (key === null || !result.ok || rank(pair, result.value) >= bestRank) continue;
    best = key;
    bestRank = rank(pair, result.value);
  }
  return best;
}

/**
 * What an expression over one event, bound as `event`, demands of it by equality with constants: every
 * event for which it is true has these values and keys. The most selective comes first.
 */
export function constantKeys(
  compiled: Compiled,
  at: number,
): readonly { readonly key: WaitKey; readonly value: JsonValue }[] {
  const keys = constantEqualities(compiled).flatMap(({ path, value: other }) => {
    const result = other.evaluate({}, at);
    const key = result.ok ? keyOf(path, result.value) : null;
    return key === null || !result.ok ? [] : [{ key, value: result.value }];
  });
  return keys.toSorted((a, b) => Number(isFlag(a.value)) - Number(isFlag(b.value)));
}

function isFlag(value: JsonValue): boolean {
  return typeof value === "boolean";
}

/**
 * The keys of an incoming event at paths that waits use: none for a path at which it has null,
 * nothing, a list or an object.
 */
export function eventKeys(event: JsonValue, paths: Iterable<string>): WaitKey[] {
  const keys: WaitKey[] = [];
  for (const path of paths) {
    const names = parsePath(path);
    const value = names === undefined || names.length === 0 ? undefined : valueAt(event, names);
    const key = value === undefined ? null : keyOf(path, value);
    if (key !== null) keys.push(key);
  }
  return keys;
}
