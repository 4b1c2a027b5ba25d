// How ids become small keys and come back: the same text always, byte for byte. It must not know
// in which tables they are used.
import type { SQLOutputValue } from "node:sqlite";
import { StoreError } from "@pawl/store/store-error";

/** An id as a column holds it: packed when its form allows, else the text itself. */
export type PackedId = Uint8Array<ArrayBuffer> | string;

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const digitOf = new Uint8Array(128).fill(255);
for (let i = 0; i < alphabet.length; i++) digitOf[alphabet.charCodeAt(i)] = i;

function digitAt(text: string, index: number): number {
  return digitOf[text.charCodeAt(index)] ?? 255;
}

/** 16 bytes for a canonical ULID (26 digits, below 2^128), the text itself for anything else. */
export function packUlid(id: string): PackedId {
  if (id.length !== 26) return id;
  const first = digitAt(id, 0);
  if (first > 7) return id;
  const bytes = new Uint8Array(16);
  let bits = first;
  let count = 3;
  let at = 0;
  for (let i = 1; i < 26; i++) {
    const digit = digitAt(id, i);
    if (digit > 31) return id;
    bits = (bits << 5) | digit;
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = bits >> count;
      bits &= (1 << count) - 1;
    }
  }
  return bytes;
}

/** The text that `packUlid` was given. */
export function unpackUlid(value: SQLOutputValue | undefined): string {
  if (typeof value === "string") return value;
  if (!(value instanceof Uint8Array) || value.length !== 16) throw damagedValue("an id", value);
  return ulidOfBytes(value, 0);
}

function ulidOfBytes(bytes: Uint8Array, start: number): string {
  let text = "";
  let bits = 0;
  let count = 2; // 130 bits of digits for 128 bits of id: two leading zeros
  for (let i = start; i < start + 16; i++) {
    bits = (bits << 8) | (bytes[i] ?? 0);
    count += 8;
    while (count >= 5) {
      count -= 5;
      text += alphabet.charAt(bits >> count);
      bits &= (1 << count) - 1;
    }
  }
  return text;
}

/** A list of ids: 16 bytes each when all are ULIDs, else JSON. */
export function packUlids(ids: readonly string[]): PackedId {
  if (ids.length === 1) {
    const only = packUlid(ids[0] ?? "");
    if (typeof only !== "string") return only;
  }
  const bytes = new Uint8Array(16 * ids.length);
  for (let i = 0; i < ids.length; i++) {
    const packed = packUlid(ids[i] ?? "");
    if (typeof packed === "string") return JSON.stringify(ids);
    bytes.set(packed, 16 * i);
  }
  return bytes;
}

/** The ids that `packUlids` was given. */
export function unpackUlids(value: SQLOutputValue | undefined): readonly string[] {
  if (typeof value === "string") return JSON.parse(value) as string[]; // proof: written by packUlids
  if (!(value instanceof Uint8Array)) throw damagedValue("ids", value);
  const ids: string[] = [];
  for (let start = 0; start < value.length; start += 16) ids.push(ulidOfBytes(value, start));
  return ids;
}

const hexDigits = "0123456789abcdef";
const hexDigitOf = new Uint8Array(128).fill(255);
for (let i = 0; i < 16; i++) hexDigitOf[hexDigits.charCodeAt(i)] = i;
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Half the length for lowercase hex of 16 to 64 digits, the text itself for anything else. */
export function packHash(text: string): PackedId {
  const { length } = text;
  if (length < 16 || length > 64 || length % 2 === 1) return text;
  const bytes = new Uint8Array(length / 2);
  for (let i = 0; i < length; i += 2) {
    const high = hexDigitOf[text.charCodeAt(i)] ?? 255;
    const low = hexDigitOf[text.charCodeAt(i + 1)] ?? 255;
    if ((high | low) > 15) return text;
    bytes[i / 2] = (high << 4) | low;
  }
  return bytes;
}

/** The text that `packHash` was given. */
export function unpackHash(value: SQLOutputValue | undefined): string {
  if (typeof value === "string") return value;
  if (!(value instanceof Uint8Array)) throw damagedValue("a hash", value);
  let text = "";
  for (const byte of value) text += hexOfByte[byte];
  return text;
}

/** A text column that is never null. */
export function textOf(value: SQLOutputValue | undefined): string {
  if (typeof value !== "string") throw damagedValue("text", value);
  return value;
}

/** A text column that may be null. */
export function textOrNull(value: SQLOutputValue | undefined): string | null {
  return value === null ? null : textOf(value);
}

/** A whole-number column that is never null. */
export function numberOf(value: SQLOutputValue | undefined): number {
  if (typeof value !== "number") throw damagedValue("a number", value);
  return value;
}

/** A whole-number column that may be null. */
export function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null ? null : numberOf(value);
}

function damagedValue(expected: string, value: SQLOutputValue | undefined): StoreError {
  return new StoreError(
    "store_damaged",
    `The database holds ${value === null ? "null" : typeof value} where ${expected} belongs.`,
  );
}
