// One request out of a seed and a number: which route, and how its path, query, headers, body and
// framing are bent. The same numbers make the same request, save for ids that the server gave.
import { gzipSync } from "node:zlib";
import { Dice } from "../crash/random.ts";
import { bodyFor } from "./bodies.ts";
import { damaged, oddText, pick, valueOf, type Places } from "./values.ts";

/** What the fuzzer knows of a route: all of it comes from the server's own table. */
export interface Target {
  readonly method: string;
  readonly pattern: string;
  readonly bodyBytesMax: number;
  /** By name, from OpenAPI. */
  readonly query: ReadonlyMap<string, unknown>;
  /** From OpenAPI; undefined: it says nothing. */
  readonly body: unknown;
}

/**
 * How the body travels. Only after `length` and `chunked` does the connection go on: the others
 * break a promise of HTTP, or say that they are the last.
 */
export type Framing =
  | "length"
  | "chunked"
  | "slow"
  | "truncated"
  | "too long"
  | "bad chunk"
  | "both"
  | "expect"
  | "pipelined"
  | "garbage";

export interface Case {
  readonly index: number;
  readonly pattern: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  readonly framing: Framing;
}

const framings: readonly Framing[] = [
  "slow",
  "truncated",
  "too long",
  "bad chunk",
  "both",
  "expect",
  "pipelined",
  "garbage",
];
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE", "TRACE"];

/** The request of a number; `tokens` are bearer tokens to choose from. */
export function caseOf(
  seed: number,
  index: number,
  targets: readonly Target[],
  places: Places,
  tokens: readonly string[],
): Case {
  const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const route = pick(dice, targets);
  const method = dice.chance(0.93) ? route.method : pick(dice, methods);
  const takesBody = route.bodyBytesMax > 0 || dice.chance(0.1);
  const plain = takesBody && method !== "HEAD" ? bodyOf(dice, places, route) : Buffer.alloc(0);
  const { body, encoding } = encoded(dice, plain);
  const framing = dice.chance(0.85)
    ? pick(dice, ["length", "length", "chunked"] as const)
    : pick(dice, framings);
  return {
    index,
    pattern: route.pattern,
    method,
    target: targetOf(dice, places, route),
    headers: [...headersOf(dice, places, tokens), ...encoding],
    body,
    framing,
  };
}

function bodyOf(dice: Dice, places: Places, route: Target): Buffer {
  if (dice.chance(0.01)) return Buffer.alloc(route.bodyBytesMax + 1, "x");
  const text = bodyFor(dice, places, route.pattern, route.body);
  return dice.chance(0.6) ? Buffer.from(text) : damaged(dice, places, text);
}

function encoded(
  dice: Dice,
  body: Buffer,
): { readonly body: Buffer; readonly encoding: Case["headers"] } {
  if (dice.chance(0.92)) return { body, encoding: [] };
  const name = "content-encoding";
  switch (dice.between(0, 3)) {
    case 0:
      return { body: gzipSync(body), encoding: [[name, "gzip"]] };
    case 1:
      return { body: gzipSync(Buffer.alloc(8_000_000)), encoding: [[name, "GZIP"]] };
    case 2:
      return { body, encoding: [[name, "gzip"]] };
    default:
      return {
        body,
        encoding: [[name, pick(dice, ["br", "deflate", "identity", "gzip, gzip", ""])]],
      };
  }
}

function targetOf(dice: Dice, places: Places, route: Target): string {
  const path = route.pattern.replace(/:(\w+)/g, (_, name: string) => {
    if (name === "key" && dice.chance(0.8)) return "fuzz-key";
    return encodeURIComponent(oddText(dice, places).toWellFormed()).slice(0, 3_000);
  });
  return bentPath(dice, path) + queryOf(dice, places, route);
}

function bentPath(dice: Dice, path: string): string {
  if (dice.chance(0.93)) return path;
  return pick(dice, [
    `${path}/`,
    `/${path}`,
    `${path}%00`,
    `${path}%zz`,
    `${path}/../../etc/passwd`,
    path.toUpperCase(),
    path.replaceAll("/", "%2f"),
    `http://127.0.0.1${path}`,
    "*",
    `${path};a=b`,
    `${path}#x`,
    `${path}/${"a/".repeat(1_000)}`,
    `${path}${"a".repeat(9_000)}`,
    `${path}${"a".repeat(20_000)}`,
    `${path}\u00e9`,
  ]);
}

function queryOf(dice: Dice, places: Places, { query }: Target): string {
  const pairs: string[] = [];
  for (const [name, schema] of query) {
    if (!dice.chance(0.25)) continue;
    const value = dice.chance(0.8) ? valueOf(dice, places, schema, 1) : oddText(dice, places);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    pairs.push(`${name}=${encodeURIComponent(text.toWellFormed()).slice(0, 2_000)}`);
  }
  if (dice.chance(0.05)) pairs.push(...pairs, "x=%zz&&&=", "y=1&".repeat(500));
  if (dice.chance(0.05)) pairs.push(`url=${encodeURIComponent("http://127.0.0.1:9/nowhere")}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function headersOf(dice: Dice, places: Places, tokens: readonly string[]): Case["headers"] {
  const headers: (readonly [string, string])[] = [];
  const maybe = (share: number, name: string, values: readonly string[]): void => {
    if (dice.chance(share)) headers.push([name, pick(dice, values)]);
  };
  maybe(
    0.85,
    "authorization",
    tokens.map((token) => `Bearer ${token}`),
  );
  maybe(0.04, "authorization", [
    "",
    "Bearer",
    "Bearer undefined",
    "Basic eDp5",
    `Bearer ${"a".repeat(5_000)}`,
  ]);
  maybe(0.5, "content-type", [
    "application/json",
    "application/x-protobuf",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "",
    "application/json; charset=utf-16",
  ]);
  maybe(0.04, "origin", ["null", "https://evil.example", "http://127.0.0.1", ":::"]);
  maybe(0.1, "x-inngest-event-id-seed", [
    "1717171717171,AAAAAAAAAAAAAA==",
    "x",
    "9e99,AAAA",
    "1,%%%",
  ]);
  maybe(0.05, "x-inngest-expected-server-kind", ["dev", "cloud", "x"]);
  maybe(0.05, "mcp-protocol-version", ["2025-06-18", "1", ""]);
  maybe(0.03, "upgrade", ["websocket", "h2c"]);
  maybe(0.02, "connection", ["upgrade", "close", "keep-alive, close"]);
  if (dice.chance(0.02)) {
    headers.push(["connection", "upgrade"], ["upgrade", "websocket"]);
    headers.push(
      ["sec-websocket-version", "13"],
      ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
    );
  }
  maybe(0.02, "transfer-encoding", ["identity", "gzip", "xchunked"]);
  maybe(0.01, "x-long", ["b".repeat(20_000)]);
  maybe(0.02, "cookie", [oddText(dice, places).replace(/[^\u0020-\u007e]/g, "")]);
  if (dice.chance(0.005))
    for (let count = 0; count < 3_000; count += 1) headers.push([`x-${String(count)}`, "1"]);
  return headers;
}
