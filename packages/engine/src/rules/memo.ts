// Memo texts: what the `steps` map of a request holds (protocol.md 2.2), made by splicing.
import type { Job } from "../records.ts";
import { sliceObject } from "@pawl/protocol/json-span";
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";

export interface ErrorValue {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string | null;
}

/** `{"error": …}` of a value. */
export function errorMemo(error: ErrorValue): JsonText {
  return wrap("error", toJsonText(error));
}

/** `{"<key>": <text>}` without touching the text. */
export function wrap(key: "data" | "error" | "input", text: JsonText): JsonText {
  return `{"${key}":${text}}` as JsonText; // proof: a JSON value inside a well-formed object
}

/**
 * What an app is told of steps that are to run with edited arguments: by hashed id, `{"input": […]}`
 * (protocol.md 2.2). They are not finished, so they are no step records.
 */
export function* inputMemos(jobs: Iterable<Job>): Generator<readonly [string, JsonText]> {
  for (const job of jobs) {
    if (job.kind === "call" && job.input !== null) yield [job.target, wrap("input", job.input)];
  }
}

/** The value inside a memo `{"data": …}` or `{"error": …}`; null text when it has no such key. */
export function unwrap(memo: JsonText, key: "data" | "error"): JsonText {
  return sliceObject(memo).get(key) ?? jsonNull;
}

/**
 * A memo as an app of another SDK may see it: the `types` sidecar of the `pawl` SDK would break
 * the strict one-key shape that published SDKs expect (protocol.md 2.2).
 */
export function plainMemo(memo: JsonText): JsonText {
  if (!memo.includes('"types"')) return memo;
  const members = sliceObject(memo);
  const data = members.get("data");
  return data !== undefined && members.has("types") ? wrap("data", data) : memo;
}
