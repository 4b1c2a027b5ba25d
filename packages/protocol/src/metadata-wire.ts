// Metadata of runs as opcodes carry it (protocol.md 2.5, 5.8): `metadata: [{kind, scope, op, values}]`.
// Reading it never fails, because a step must not fail for what only people read: what is malformed
// is left out, and said. It must not know what metadata there is already.
import type { JsonText, JsonValue } from "./json-text.ts";
import { elementPairs, isJsonObject, ObjectReader } from "./object-reader.ts";

/** What metadata is about. `extended_trace`: a span that the app recorded itself. */
export const metadataScopes = ["run", "step", "step_attempt", "extended_trace"] as const;
export type MetadataScope = (typeof metadataScopes)[number];

/**
 * How values meet those that are there. `merge` replaces the named ones, `set` replaces all, `delete`
 * removes the named ones, `add` adds numbers to numbers.
 */
export const metadataOps = ["merge", "set", "delete", "add"] as const;
export type MetadataOp = (typeof metadataOps)[number];

/** Length of a kind, in UTF-16 units. */
export const metadataKindCharsMax = 128;

/** One change of one kind of metadata. */
export interface MetadataUpdate {
  /** `userland.<name>`, `inngest.score`, `inngest.ai`, …; 1 to `metadataKindCharsMax` characters. */
  readonly kind: string;
  readonly op: MetadataOp;
  /** A JSON object. */
  readonly values: JsonText;
}

/** The metadata of an opcode. */
export interface OpcodeMetadata {
  readonly updates: readonly (MetadataUpdate & { readonly scope: MetadataScope })[];
  /** What could not be read of it; null: all could. */
  readonly problem: string | null;
}

/** The metadata of an opcode; null when it brings none. Never throws. */
export function readOpcodeMetadata(reader: ObjectReader): OpcodeMetadata | null {
  const list = reader.get("metadata");
  if (list === undefined) return null;
  const source = reader.text("metadata");
  if (!Array.isArray(list) || source === null)
    return { updates: [], problem: "metadata must be a list" };
  if (list.length === 0) return null;
  const updates: OpcodeMetadata["updates"][number][] = [];
  let problem: string | null = null;
  for (const [element, text, index] of elementPairs(list, source)) {
    const update = readUpdate(element, text);
    if (update !== null) updates.push(update);
    else
      problem ??= `metadata[${index}] must be {kind, scope, op, values} with an object of values`;
  }
  return { updates, problem };
}

function readUpdate(element: JsonValue, text: JsonText): OpcodeMetadata["updates"][number] | null {
  if (!isJsonObject(element)) return null;
  const reader = new ObjectReader(element, text, "Metadata", "opcode_invalid");
  const kind = reader.get("kind");
  const scope = metadataScopes.find((known) => known === (reader.get("scope") ?? "step"));
  const op = metadataOps.find((known) => known === reader.get("op"));
  const values = reader.text("values");
  if (!isMetadataKind(kind) || !isJsonObject(reader.get("values"))) return null;
  if (scope === undefined || op === undefined || values === null) return null;
  return { kind, scope, op, values };
}

/** Whether a value can be a kind. */
export function isMetadataKind(kind: JsonValue | undefined): kind is string {
  return typeof kind === "string" && kind !== "" && kind.length <= metadataKindCharsMax;
}
