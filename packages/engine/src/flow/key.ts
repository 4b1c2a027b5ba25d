// Keys of flow control: expressions over the event, and the short texts that stand for their values.
import { toJsonText, type JsonValue } from "@pawl/protocol/json-text";
import { sha1Hex } from "@pawl/protocol/sha1";
import { eventValue } from "../event-value.ts";
import { compileExpression } from "../expression/compile.ts";
import { ExpressionError } from "../expression/expression-error.ts";
import type { EventRecord } from "../records.ts";

const hashDigits = 16;

/** A short text for a text. */
export function shortHash(text: string): string {
  return sha1Hex(text).slice(0, hashDigits);
}

/**
 * What an expression comes to for an event, at a time. Null when it fails: events for which a key
 * cannot be told share one.
 */
export function valueOf(expression: string, event: EventRecord, at: number): JsonValue {
  try {
    const result = compileExpression(expression).evaluate({ event: eventValue(event) }, at);
    return result.ok ? result.value : null;
  } catch (error) {
    if (error instanceof ExpressionError) return null; // refused at sync; older registrations
    throw error;
  }
}

/** The short text of a key's value. */
export function valueHash(expression: string, event: EventRecord, at: number): string {
  return shortHash(toJsonText(valueOf(expression, event, at)));
}

/** The key of a rule of a function for an event: one for the function, or one for each value. */
export function ruleKey(
  rule: string,
  functionId: string,
  expression: string | null,
  event: EventRecord,
  at: number,
): string {
  const base = `${rule}:${functionId}`;
  return expression === null ? base : `${base}:${valueHash(expression, event, at)}`;
}
