// The inverse of `encode.ts`: plain JSON data and its sidecar become values again. Sidecars come
// from outside: a note that is unknown or does not fit the data is ignored, and the data kept.
import type { JsonValue } from "@pawl/protocol/json-text";
import { decodeBinary, binaryTagOf } from "./bytes.ts";
import { setOwn, unescapeToken, type TypeNotes } from "./tags.ts";

/** The notes of one place and of the places below it. */
interface NoteTree {
  tag: string | null;
  readonly below: Map<string, NoteTree>;
}

/** A fresh value; never shares structure with `data`. */
export function decodeValue(data: JsonValue, types: TypeNotes | null): unknown {
  return types === null ? copy(data, null) : restore(data, growTree(types));
}

function growTree(types: TypeNotes): NoteTree {
  const root: NoteTree = { tag: null, below: new Map() };
  for (const [pointer, tag] of Object.entries(types)) {
    if (typeof tag !== "string") continue;
    let node = root;
    for (const token of pointer.split("/").slice(1)) {
      const key = unescapeToken(token);
      let next = node.below.get(key);
      if (next === undefined) node.below.set(key, (next = { tag: null, below: new Map() }));
      node = next;
    }
    node.tag = tag;
  }
  return root;
}

/** Undefined means that the note does not fit, except for the note `undefined` itself. */
function restore(data: JsonValue, notes: NoteTree): unknown {
  if (notes.tag === null) return copy(data, notes);
  if (notes.tag === "undefined") return undefined;
  const value = data === null ? restoreNull(notes.tag) : restoreTagged(data, notes, notes.tag);
  return value === undefined ? copy(data, notes) : value;
}

function restoreNull(tag: string): unknown {
  if (tag === "nan") return Number.NaN;
  if (tag === "infinity") return Infinity;
  if (tag === "-infinity") return -Infinity;
  return tag === "date" ? new Date(Number.NaN) : undefined;
}

function restoreTagged(data: JsonValue, notes: NoteTree, tag: string): unknown {
  if (tag === "-0") return data === 0 ? -0 : undefined;
  if (typeof data === "string") return restoreText(data, tag);
  if (Array.isArray(data)) return restoreItems(copy(data, notes), tag);
  if (tag === "error") return restoreError(copy(data, notes));
  return tag === "regexp" ? restoreRegExp(data) : undefined;
}

function restoreText(text: string, tag: string): unknown {
  const binary = binaryTagOf(tag);
  if (binary !== null) return decodeBinary(binary, text);
  try {
    if (tag === "date") return new Date(text);
    if (tag === "bigint") return BigInt(text);
    if (tag === "url") return new URL(text);
  } catch {
    return undefined;
  }
  return undefined;
}

function restoreItems(items: unknown, tag: string): unknown {
  if (!Array.isArray(items)) return undefined;
  if (tag === "set") return new Set<unknown>(items);
  if (tag !== "map") return undefined;
  const map = new Map<unknown, unknown>();
  for (const pair of items) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    map.set(pair[0], pair[1]);
  }
  return map;
}

function restoreRegExp(data: JsonValue): unknown {
  if (data === null || typeof data !== "object") return undefined;
  const { source, flags } = data as { source?: JsonValue; flags?: JsonValue }; // proof: an object
  if (typeof source !== "string" || typeof flags !== "string") return undefined;
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

const errorClasses: Readonly<Record<string, new (message: string) => Error>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** An `Error` from its members; `name` decides between the standard classes. */
export function restoreError(members: unknown): Error | undefined {
  if (members === null || typeof members !== "object") return undefined;
  const { name, message, stack, ...own } = members as Record<string, unknown>; // proof: an object
  if (typeof name !== "string" || typeof message !== "string") return undefined;
  const Class = Object.hasOwn(errorClasses, name) ? errorClasses[name] : undefined;
  const error =
    name === "AggregateError" ? new AggregateError([], message) : new (Class ?? Error)(message);
  if (error.name !== name) hide(error, "name", name);
  hide(error, "stack", typeof stack === "string" ? stack : `${name}: ${message}`);
  for (const [key, value] of Object.entries(own)) {
    if (key === "cause" || key === "errors") hide(error, key, value);
    else setOwn(error, key, value);
  }
  return error;
}

/** The standard classes keep these members out of enumeration. */
function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true });
}

function copy(data: JsonValue, notes: NoteTree | null): unknown {
  if (data === null || typeof data !== "object") return data;
  if (Array.isArray(data)) {
    return data.map((item: JsonValue, index) => member(item, notes?.below.get(String(index))));
  }
  const value = {};
  for (const [key, item] of Object.entries(data)) {
    const restored = member(item, notes?.below.get(key));
    if (key === "__proto__") setOwn(value, key, restored);
    else Reflect.set(value, key, restored);
  }
  for (const [key, note] of notes?.below ?? []) {
    if (note.tag === "undefined" && !Object.hasOwn(data, key)) setOwn(value, key, undefined);
  }
  return value;
}

function member(data: JsonValue, notes: NoteTree | undefined): unknown {
  return notes === undefined ? copy(data, null) : restore(data, notes);
}
