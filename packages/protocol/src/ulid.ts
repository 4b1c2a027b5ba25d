// ULIDs: 48 bits of time and 80 bits of randomness as 26 characters of Crockford's base 32, so
// that ids sort by time. Time and randomness are arguments. Must run on any JavaScript runtime:
// no imports but the error.
//
// `UlidFactory` keeps state; its invariant: each id is greater than the one before.
import { ProtocolError } from "./protocol-error.ts";

/** The digits of Crockford's base 32, by value. */
export const ulidDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const timeMax = 2 ** 48 - 1;
/** Base-32 digits per half of the time part: 25 bits, so that bit operations stay in 32. */
const halfTime = 2 ** 25;

/** Whether the text is a ULID in its canonical, upper-case form. */
export function isUlid(text: string): boolean {
  return ulidPattern.test(text);
}

/** The time part, in ms since the epoch. Throws `ulid_invalid` on text that is no ULID. */
export function ulidTime(ulid: string): number {
  if (!isUlid(ulid)) throw new ProtocolError("ulid_invalid", `"${ulid.slice(0, 40)}" is no ULID.`);
  let time = 0;
  for (let at = 0; at < 10; at += 1) time = time * 32 + ulidDigits.indexOf(ulid.charAt(at));
  return time;
}

/**
 * A ULID from its parts: `timeMs` (integer, 0 to 2^48 - 1), and 80 bits as 16 (`hi`), 32 (`mid`)
 * and 32 (`lo`). Higher bits of the three are ignored. Throws `ulid_invalid` for another time.
 */
export function encodeUlid(timeMs: number, hi: number, mid: number, lo: number): string {
  return encodeTime(timeMs) + encodeEntropy(hi, mid, lo);
}

function encodeTime(timeMs: number): string {
  if (!Number.isInteger(timeMs) || timeMs < 0 || timeMs > timeMax) {
    throw new ProtocolError("ulid_invalid", `A ULID cannot carry the time ${timeMs}.`);
  }
  return fiveDigits(Math.floor(timeMs / halfTime)) + fiveDigits(timeMs % halfTime);
}

function fiveDigits(bits: number): string {
  return (
    digit(bits >>> 20) + digit(bits >>> 15) + digit(bits >>> 10) + digit(bits >>> 5) + digit(bits)
  );
}

function encodeEntropy(hi: number, mid: number, lo: number): string {
  return (
    digit(hi >>> 11) +
    digit(hi >>> 6) +
    digit(hi >>> 1) +
    digit((hi << 4) | (mid >>> 28)) +
    digit(mid >>> 23) +
    digit(mid >>> 18) +
    digit(mid >>> 13) +
    digit(mid >>> 8) +
    digit(mid >>> 3) +
    digit((mid << 2) | (lo >>> 30)) +
    fiveDigits(lo >>> 5) +
    digit(lo)
  );
}

function digit(bits: number): string {
  return ulidDigits.charAt(bits & 31);
}

/**
 * Makes ascending ULIDs. Within one ms, and when the clock steps back, the entropy of the last id
 * is counted up at the last time, so ids never go down. `random` yields 16, 32 and 32 bits.
 */
export class UlidFactory {
  readonly #random: () => readonly [number, number, number];
  #timeMs = -1;
  #hi = 0;
  #mid = 0;
  #lo = 0;

  constructor(random: () => readonly [number, number, number]) {
    this.#random = random;
  }

  next(timeMs: number): string {
    if (timeMs > this.#timeMs) this.#draw(timeMs);
    else this.#countUp();
    return encodeUlid(this.#timeMs, this.#hi, this.#mid, this.#lo);
  }

  #draw(timeMs: number): void {
    const [hi, mid, lo] = this.#random();
    this.#timeMs = timeMs;
    this.#hi = hi & 0xffff;
    this.#mid = mid >>> 0;
    this.#lo = lo >>> 0;
  }

  #countUp(): void {
    this.#lo = (this.#lo + 1) >>> 0;
    if (this.#lo !== 0) return;
    this.#mid = (this.#mid + 1) >>> 0;
    if (this.#mid !== 0) return;
    if (this.#hi < 0xffff) this.#hi += 1;
    // All 2^80 ids of this ms are used: the next ms is the next greater id.
    else this.#draw(this.#timeMs + 1);
  }
}

/**
 * The ids of a request's `count` events from its `x-inngest-event-id-seed` header (protocol.md 4):
 * `<ms>,<base64 of 10 bytes>`; the n-th event (from 1) adds n to the 80 bits, which wrap around.
 * The same header yields the same ids. Null when the header is malformed.
 */
export function eventIdsFromSeed(seedHeader: string, count: number): string[] | null {
  const comma = seedHeader.indexOf(",");
  const timeText = seedHeader.slice(0, Math.max(comma, 0)).trim();
  if (!/^\d{1,15}$/.test(timeText)) return null;
  const timeMs = Number(timeText);
  const bytes = decodeBase64(seedHeader.slice(comma + 1).trim());
  if (bytes?.length !== 10 || timeMs > timeMax) return null;
  const entropy = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const time = encodeTime(timeMs);
  const ids: string[] = [];
  for (let index = 1; index <= count; index += 1) {
    const bits = BigInt.asUintN(80, entropy + BigInt(index));
    const low = BigInt.asUintN(64, bits);
    ids.push(
      time + encodeEntropy(Number(bits >> 64n), Number(low >> 32n), Number(low & 0xffffffffn)),
    );
  }
  return ids;
}

function decodeBase64(text: string): number[] | null {
  try {
    return Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
