// Odd values for requests: JSON texts, right and wrong, and what becomes of a right one when it is
// damaged. All of it follows from the dice. It must not know routes.
import type { Dice } from "../crash/random.ts";

/** Where URLs in generated bodies may lead: the fuzzed app, nowhere, or not to a URL at all. */
export interface Places {
  readonly appUrl: string;
  /** Ids that exist, by number: asked for when a request is made. */
  readonly ids: readonly string[];
}

/** Any of a list that is not empty. */
export function pick<T>(dice: Dice, list: readonly T[]): T {
  const found = list[dice.between(0, list.length - 1)];
  if (found === undefined && list.length === 0) throw new Error("nothing to pick from");
  return found as T; // proof: the index is within the list
}

const names: readonly string[] = ["greet", "shop", "shop-greet", "inngest/function.finished"];
const odd: readonly string[] = [
  "",
  " ",
  "-1",
  "0",
  "1e9",
  "NaN",
  "null",
  "true",
  "undefined",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "..%2f..%2f",
  "%00",
  "\u0000",
  "\ud800",
  "\udfff\ud800",
  "\u202e",
  "a\r\nx-injected: 1",
  "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
  "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
  "00000000-0000-0000-0000-000000000000",
  "1970-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "+275760-09-13T00:00:00.001Z",
  "2020-02-30T25:61:61Z",
  "1h30m",
  "999999999999w",
  "event.data.a == 1",
  "event.data.(((",
  "[".repeat(600),
  "é".repeat(300),
  "😀",
  "'; DROP TABLE runs; --",
  "*",
  "RUNNING",
  "COMPLETED,FAILED",
];

/** A string: a name that exists, an id that exists, or an odd one. */
export function oddText(dice: Dice, places: Places): string {
  const at = dice.next();
  if (at < 0.25) return pick(dice, names);
  if (at < 0.45 && places.ids.length > 0) return pick(dice, places.ids);
  if (at < 0.97) return pick(dice, odd);
  return String.fromCharCode(dice.between(32, 0xffff)).repeat(dice.between(1, 2_000));
}

const numbers = [
  "0",
  "-0",
  "1",
  "-1",
  "1.5",
  "1e999",
  "-1e-999",
  "9007199254740993",
  "1e21",
  "9".repeat(400),
];

/** Some JSON text, at most `depth` deep. */
export function jsonOf(dice: Dice, places: Places, depth: number): string {
  const at = dice.next();
  if (depth <= 0 || at < 0.35) return JSON.stringify(oddText(dice, places));
  if (at < 0.5) return pick(dice, numbers);
  if (at < 0.6) return pick(dice, ["null", "true", "false"]);
  const size = dice.between(0, 4);
  const parts = Array.from({ length: size }, () => jsonOf(dice, places, depth - 1));
  if (at < 0.75) return `[${parts.join(",")}]`;
  return `{${parts.map((part) => `${JSON.stringify(oddText(dice, places))}:${part}`).join(",")}}`;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A value that fits a JSON Schema, mostly. */
export function valueOf(dice: Dice, places: Places, schema: unknown, depth = 4): unknown {
  const parts = new Map(
    Object.entries(typeof schema === "object" && schema !== null ? schema : {}),
  ) as ReadonlyMap<string, unknown>; // proof: entries of an object
  const choices = parts.get("anyOf") ?? parts.get("oneOf") ?? parts.get("enum");
  if (Array.isArray(choices) && choices.length > 0) {
    const chosen: unknown = pick(dice, choices);
    return parts.has("enum") ? chosen : valueOf(dice, places, chosen, depth);
  }
  switch (parts.get("type")) {
    case "object":
      return objectOf(dice, places, parts, depth);
    case "array":
      return Array.from({ length: dice.between(0, 3) }, () =>
        valueOf(dice, places, parts.get("items"), depth - 1),
      );
    case "integer":
    case "number":
      return pick(dice, [0, 1, 2, 5, 20, 100, 101, -1, 1.5, 1e9, 2 ** 53]);
    case "boolean":
      return dice.chance(0.5);
    case "null":
      return null;
    case "string":
      return parts.has("const") ? parts.get("const") : oddText(dice, places);
    default:
      return JSON.parse(jsonOf(dice, places, Math.min(depth, 2)).replaceAll("1e999", "1"));
  }
}

function objectOf(
  dice: Dice,
  places: Places,
  parts: ReadonlyMap<string, unknown>,
  depth: number,
): object {
  const given = parts.get("properties");
  const members = Object.entries(typeof given === "object" && given !== null ? given : {});
  const needed: unknown = parts.get("required");
  const isNeeded = (name: string): boolean => Array.isArray(needed) && needed.includes(name);
  const shown = depth <= 0 ? [] : members.filter(([name]) => isNeeded(name) || dice.chance(0.5));
  return Object.fromEntries(
    shown.map(([name, schema]) => [
      name,
      // A URL is one of ours: the server may call it.
      /url/i.test(name) ? urlOf(dice, places) : valueOf(dice, places, schema, depth - 1),
    ]),
  );
}

/** Nothing beyond the fuzzed app and a closed port is ever called. */
export function urlOf(dice: Dice, { appUrl }: Places): string {
  return pick(dice, [
    appUrl,
    appUrl,
    `${appUrl}/other`,
    "http://127.0.0.1:9/x",
    "",
    "nope",
    "ftp://127.0.0.1",
  ]);
}

/** A JSON text, damaged in one way or not at all. Texts with URLs are only damaged outside of them. */
export function damaged(dice: Dice, places: Places, text: string): Buffer {
  const hasUrl = text.includes("http");
  switch (dice.between(0, 13)) {
    case 0:
      return Buffer.from(text.slice(0, dice.between(0, text.length)));
    case 1:
      return flipped(dice, hasUrl ? jsonOf(dice, places, 3) : text);
    case 2:
      return Buffer.from(text.replace("{", `{"name":1,"data":[],"__proto__":{"a":1},`));
    case 3:
      return Buffer.from(text.replace(/:(\d+|"[^"]*"|null|\{\})/, `:${deep(dice)}`));
    case 4:
      return Buffer.from(deep(dice));
    case 5:
      return Buffer.from(text.replace(/:(\d+|null|"")/g, `:${pick(dice, numbers)}`));
    case 6:
      return Buffer.from(text.replace(/"(\w+)"/, '"\\ud800$1"'));
    case 7:
      return Buffer.concat([
        Buffer.from(text.slice(0, -1)),
        Buffer.from([0xff, 0xc0, 0x80]),
        Buffer.from("}"),
      ]);
    case 8:
      return Buffer.from(`\ufeff${text}\u0000`);
    case 9:
      return Buffer.from(jsonOf(dice, places, 4));
    case 10:
      return Buffer.from(
        text.replace(/:("[^"]*"|\d+)/, `:"${"x".repeat(dice.between(1, 100_000))}"`),
      );
    case 11:
      return Buffer.from(replaced(dice, places, text));
    case 12:
      return Buffer.from(`${text}\n${text}`);
    default:
      return Buffer.from(text);
  }
}

function deep(dice: Dice): string {
  const levels = pick(dice, [50, 500, 5_000, 60_000]);
  const [open, close] = pick(dice, [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const);
  return open.repeat(levels) + (dice.chance(0.5) ? `1${close.repeat(levels)}` : "");
}

function flipped(dice: Dice, text: string): Buffer {
  const bytes = Buffer.from(text);
  for (let count = dice.between(1, 4); count > 0 && bytes.length > 0; count -= 1) {
    bytes[dice.between(0, bytes.length - 1)] = dice.between(0, 255);
  }
  return bytes;
}

/** Members anywhere get other values, or are lost. */
function replaced(dice: Dice, places: Places, text: string): string {
  const walk = (value: Json): Json => {
    if (typeof value === "string" && value.startsWith("http")) return urlOf(dice, places);
    if (dice.chance(0.08))
      return JSON.parse(jsonOf(dice, places, 2).replaceAll("1e999", "1")) as Json; // proof: JSON text
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const kept = Object.entries(value).filter(() => !dice.chance(0.05));
    return Object.fromEntries(kept.map(([key, inner]) => [key, walk(inner)]));
  };
  // Several events may stand in several lines.
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : JSON.stringify(walk(JSON.parse(line) as Json)))) // proof: JSON texts
    .join("\n");
}
