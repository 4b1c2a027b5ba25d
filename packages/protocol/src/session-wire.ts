// Sessions of an event (protocol.md 5.7): the layer that its author wrote and the one that an SDK
// copied from the run that sends it become one map, which is all that is kept. Apps read the sessions
// of a run from its events themselves. It must not know what carries the meta.
import { membersOf } from "./json-span.ts";
import { type JsonText, type JsonValue, toJsonText } from "./json-text.ts";
import { isJsonObject, type ObjectReader } from "./object-reader.ts";

/** Sessions of one event; the published SDKs count on this number. */
export const eventSessionsMax = 5;
/** UTF-16 units of the key of a session, and of its id. */
const sessionCharsMax = 256;

/**
 * The member `meta` with its sessions settled: `sessions` of the author wins over
 * `propagated_sessions`, key by key; null cuts an inherited one, or all of them. Inherited ones
 * beyond the limit are left out in order of their keys, so that they never make an event invalid.
 * Meta without sessions stays the text that arrived. Null: there is none. Throws as the reader does.
 */
export function readMeta(reader: ObjectReader): JsonText | null {
  const source = reader.objectText("meta");
  const value = reader.get("meta");
  if (source === null || !isJsonObject(value)) return null;
  if (!Object.hasOwn(value, "sessions") && !Object.hasOwn(value, "propagated_sessions"))
    return source;
  const sessions = settle(reader, value["sessions"], value["propagated_sessions"]);
  const members = membersOf(source);
  members.delete("sessions");
  members.delete("propagated_sessions");
  if (sessions.size > 0) members.set("sessions", textOf(sessions));
  if (members.size === 0) return null;
  const texts = Array.from(members, ([key, text]) => `${toJsonText(key)}:${text}`);
  return `{${texts.join(",")}}` as JsonText; // proof: an object of quoted keys and JSON values
}

type Sessions = Map<string, string>;

function settle(
  reader: ObjectReader,
  manual: JsonValue | undefined,
  inherited: JsonValue | undefined,
): Sessions {
  const settled: Sessions = new Map();
  const cut = new Set<string>();
  for (const [key, id] of entriesOf(reader, "sessions", manual)) {
    if (id === null) cut.add(key);
    else settled.set(key, id);
  }
  if (settled.size > eventSessionsMax) {
    const expected = `at most ${eventSessionsMax} sessions (${settled.size} were given)`;
    throw reader.wrong("meta.sessions", expected);
  }
  const layer = entriesOf(reader, "propagated_sessions", inherited).toSorted(byUtf8);
  if (manual === null) return settled;
  for (const [key, id] of layer) {
    if (settled.size >= eventSessionsMax) break;
    if (id !== null && !cut.has(key) && !settled.has(key)) settled.set(key, id);
  }
  return settled;
}

/** The sessions of one layer; null stands for an id that is cut. */
function entriesOf(
  reader: ObjectReader,
  layer: "sessions" | "propagated_sessions",
  value: JsonValue | undefined,
): readonly (readonly [string, string | null])[] {
  const name = `meta.${layer}`;
  if (value === undefined || value === null) return [];
  if (!isJsonObject(value)) throw reader.wrong(name, "an object of session ids by key");
  return Object.entries(value).map(([key, id]) => {
    if (key === "" || key.length > sessionCharsMax)
      throw reader.wrong(name, `an object with keys of 1 to ${sessionCharsMax} characters`);
    if (id === null && layer === "sessions") return [key, null];
    // Python and Go apps may send numbers, which stand for their text.
    const text = typeof id === "number" && Number.isFinite(id) ? String(id) : id;
    if (typeof text === "string" && text !== "" && text.length <= sessionCharsMax)
      return [key, text];
    const expected = `a text of 1 to ${sessionCharsMax} characters, or a number`;
    throw reader.wrong(`${name}[${JSON.stringify(key)}]`, expected);
  });
}

const encoder = new TextEncoder();

/** The order of the published server, whose SDKs leave out the same ones. */
function byUtf8([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function textOf(sessions: Sessions): JsonText {
  const texts = Array.from(sessions, ([key, id]) => `${toJsonText(key)}:${toJsonText(id)}`);
  return `{${texts.join(",")}}` as JsonText; // proof: an object of quoted keys and texts
}
