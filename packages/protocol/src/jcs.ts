// The canonical form of JSON, RFC 8785: keys sorted by UTF-16 units, numbers as JavaScript writes
// them, no space. Signatures of requests are made over it, so both sides may reorder keys.
// Must run on any JavaScript runtime.
import type { JsonValue } from "./json-text.ts";
import { ProtocolError } from "./protocol-error.ts";

const depthMax = 1_000;

/**
 * The canonical form of JSON text. Throws `json_invalid` on text that is no JSON, and on JSON
 * without a canonical form: numbers beyond a double, nesting deeper than 1,000.
 */
export function canonicalize(text: string): string {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue; // proof: JSON.parse yields JSON values
  } catch (cause) {
    throw new ProtocolError("json_invalid", "The text to canonicalize is no valid JSON.", {
      cause,
    });
  }
  return write(value, 0);
}

function write(value: JsonValue, depth: number): string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ProtocolError("json_invalid", "A number beyond a double has no canonical form.");
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (depth === depthMax) {
    throw new ProtocolError(
      "json_invalid",
      `JSON nested deeper than ${depthMax} is not canonicalized.`,
    );
  }
  if (isArray(value)) return `[${value.map((element) => write(element, depth + 1)).join(",")}]`;
  const members = Object.keys(value)
    .toSorted(byUnits)
    // proof: the key is the object's own
    .map((key) => `${JSON.stringify(key)}:${write(value[key] as JsonValue, depth + 1)}`);
  return `{${members.join(",")}}`;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Comparison operators order strings by UTF-16 units, as the RFC demands. */
function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
