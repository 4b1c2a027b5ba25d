// How the values of an update meet those that are there. Values that are not touched stay the text
// that arrived. It must not know runs, kinds or limits.
import { membersOf } from "@pawl/protocol/json-span";
import { fromJsonText, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { MetadataOp } from "@pawl/protocol/metadata-wire";

export type Combined =
  /** Null: nothing is left. */
  | { readonly ok: true; readonly values: JsonText | null }
  | { readonly ok: false; readonly problem: string };

const nameCharsShown = 100;

/** Combines two JSON objects; `before` is null when there are no values yet. */
export function combine(before: JsonText | null, op: MetadataOp, update: JsonText): Combined {
  if (op === "set") return { ok: true, values: update };
  const values = before === null ? new Map<string, JsonText>() : membersOf(before);
  for (const [name, text] of membersOf(update)) {
    if (op === "merge") values.set(name, text);
    else if (op === "delete") values.delete(name);
    else {
      const sum = sumOf(values.get(name), text);
      if (sum === null) {
        const problem = `"${name.slice(0, nameCharsShown)}" cannot be added to: add takes a number, and a number to add it to, or none`;
        return { ok: false, problem };
      }
      values.set(name, sum);
    }
  }
  if (op === "delete" && values.size === 0) return { ok: true, values: null };
  return { ok: true, values: writeValues(values) };
}

/** A JSON object of names and texts. */
export function writeValues(values: ReadonlyMap<string, JsonText>): JsonText {
  const members = Array.from(values, ([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${members.join(",")}}` as JsonText; // proof: JSON values under quoted names
}

/** Null: not both are numbers, or the sum is none. */
function sumOf(before: JsonText | undefined, text: JsonText): JsonText | null {
  const number = numberOf(text);
  if (number === null) return null;
  if (before === undefined) return text;
  const known = numberOf(before);
  const sum = known === null ? Number.NaN : known + number;
  return Number.isFinite(sum) ? toJsonText(sum) : null;
}

/** The number that a JSON text is; null: it is none, or beyond what a double holds. */
export function numberOf(text: JsonText | undefined): number | null {
  const value = text === undefined ? null : fromJsonText(text);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
