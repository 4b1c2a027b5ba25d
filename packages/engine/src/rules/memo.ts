// Memo texts: what the `steps` map of a request holds (protocol.md 2.2), made by splicing.
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
export function wrap(key: "data" | "error", text: JsonText): JsonText {
  return `{"${key}":${text}}` as JsonText; // proof: a JSON value inside a well-formed object
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
