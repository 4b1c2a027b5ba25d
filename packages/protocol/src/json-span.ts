// Cuts JSON text into the texts of its parts without serialising anything again, so that numbers
// beyond a double, escapes and whitespace inside a payload stay the characters that arrived.
// JSON.parse is the judge of what JSON is; the scanner here only runs over text it has passed.
import type { JsonText } from "./json-text.ts";
import { ProtocolError } from "./protocol-error.ts";

/** The text, proven to be one complete JSON value. Throws `json_invalid`. */
export function assertJson(text: string): JsonText {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError("json_invalid", `This is no valid JSON: ${reason(cause)}`, { cause });
  }
  return text as JsonText; // proof: JSON.parse accepted it
}

/** Raw texts of the elements of an array. Throws `json_invalid` on any other text. */
export function sliceArray(text: string): JsonText[] {
  return elementsOf(assertJson(text));
}

/**
 * Raw texts of the members of an object, by their unescaped keys in order of appearance; of equal
 * keys the last wins, as in JSON.parse. Throws `json_invalid` on any other text.
 */
export function sliceObject(text: string): ReadonlyMap<string, JsonText> {
  return membersOf(assertJson(text));
}

/** `sliceArray` for text that is already known to be JSON. */
export function elementsOf(text: JsonText): JsonText[] {
  const elements: JsonText[] = [];
  let at = openingOf(text, openBracket, "an array");
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    const end = skipValue(text, at);
    elements.push(span(text, at, end));
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === comma) at = skipSpace(text, at + 1);
  }
  return elements;
}

/** `sliceObject` for text that is already known to be JSON. */
export function membersOf(text: JsonText): Map<string, JsonText> {
  const members = new Map<string, JsonText>();
  let at = openingOf(text, openBrace, "an object");
  while (at < text.length && text.charCodeAt(at) !== closeBrace) {
    const keyEnd = skipString(text, at);
    const key = unquote(text.slice(at, keyEnd));
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, start);
    members.set(key, span(text, start, end));
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === comma) at = skipSpace(text, at + 1);
  }
  return members;
}

/**
 * Texts that stand one behind the other, as in newline-delimited JSON: where the value beginning
 * at `start` ends. Works on text that is not proven to be JSON: it always returns an index behind
 * `start` and within the text, and that of the true end if a valid value begins there.
 */
export function valueEnd(text: string, start: number): number {
  return Math.min(text.length, Math.max(start + 1, skipValue(text, start)));
}

/** The index of the first character at or behind `at` that is no JSON whitespace. */
export function skipSpace(text: string, at: number): number {
  let index = at;
  while (isSpace(text.charCodeAt(index))) index += 1;
  return index;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function span(text: JsonText, start: number, end: number): JsonText {
  return text.slice(start, end) as JsonText; // proof: a whole value inside valid JSON
}

function openingOf(text: JsonText, bracket: number, kind: string): number {
  const at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== bracket) {
    throw new ProtocolError("json_invalid", `Expected the JSON of ${kind}.`);
  }
  return skipSpace(text, at + 1);
}

/** The index behind the value that begins at `start`. */
function skipValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === quote) return skipString(text, start);
  if (first === openBrace || first === openBracket) return skipNested(text, start);
  let at = start;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at += 1;
  return at;
}

function endsScalar(code: number): boolean {
  return code === comma || code === closeBrace || code === closeBracket || isSpace(code);
}

function skipNested(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = skipString(text, at) - 1;
    } else if (code === openBrace || code === openBracket) {
      depth += 1;
    } else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

/** The index behind the string whose opening quote is at `start`. */
function skipString(text: string, start: number): number {
  let close = text.indexOf('"', start + 1);
  while (close !== -1) {
    let before = close - 1;
    while (text.charCodeAt(before) === backslash) before -= 1;
    // An even number of backslashes escape each other, not the quote.
    if ((close - before) % 2 === 1) return close + 1;
    close = text.indexOf('"', close + 1);
  }
  return text.length;
}

function unquote(text: string): string {
  // proof: a quoted key is the JSON of a string
  return text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
