// SHA-256 and HMAC-SHA-256, synchronous and without imports, so that an SDK can sign and verify
// on any runtime. A server with large bodies may hand a native HMAC to `signature.ts` instead.
import { utf8Bytes } from "./utf8.ts";

const roundConstants = fractions(64, 1 / 3);
const initialState = fractions(8, 1 / 2);
const schedule = new Int32Array(64);

/** SHA-256 of the UTF-8 bytes of a text, or of bytes, as 64 lower-case hex digits. */
export function sha256Hex(input: string | Uint8Array): string {
  return toHex(digest(typeof input === "string" ? utf8Bytes(input) : input));
}

/** HMAC-SHA-256 over the UTF-8 bytes of `text`, keyed with those of `key`, as lower-case hex. */
export function hmacSha256Hex(key: string, text: string): string {
  const given = utf8Bytes(key);
  const keyBytes = given.length > 64 ? toBytes(digest(given)) : given;
  const message = utf8Bytes(text);
  const inner = new Uint8Array(64 + message.length).fill(0x36, 0, 64);
  const outer = new Uint8Array(64 + 32).fill(0x5c, 0, 64);
  for (const [at, byte] of keyBytes.entries()) {
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.set(message, 64);
  outer.set(toBytes(digest(inner)), 64);
  return toHex(digest(outer));
}

/**
 * The first 32 bits of the fractional parts of roots of the first primes: the constants of the
 * algorithm. A double carries them exactly enough, which the test vectors prove.
 */
function fractions(count: number, exponent: number): Int32Array {
  const words = new Int32Array(count);
  let found = 0;
  for (let candidate = 2; found < count; candidate += 1) {
    if (!isPrime(candidate)) continue;
    const root = candidate ** exponent;
    words[found] = ((root - Math.floor(root)) * 2 ** 32) | 0;
    found += 1;
  }
  return words;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) {
    if (candidate % divisor === 0) return false;
  }
  return true;
}

function digest(bytes: Uint8Array): Int32Array {
  const state = initialState.slice();
  const whole = bytes.length & ~63;
  const body = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += 64) addBlock(state, body, at);
  const tail = paddedTail(bytes, whole);
  for (let at = 0; at < tail.byteLength; at += 64) addBlock(state, tail, at);
  return state;
}

/** The last, partial block with its end mark, zeroes, and the whole length in bits. */
function paddedTail(bytes: Uint8Array, from: number): DataView {
  const rest = bytes.length - from;
  const out = new Uint8Array(rest < 56 ? 64 : 128);
  out.set(bytes.subarray(from));
  out[rest] = 0x80;
  const view = new DataView(out.buffer);
  view.setUint32(out.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(out.length - 4, bytes.length << 3);
  return view;
}

function addBlock(state: Int32Array, message: DataView, at: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t += 1) w[t] = message.getInt32(at + t * 4);
  for (let t = 16; t < 64; t += 1) {
    const far = word(w, t - 15);
    const near = word(w, t - 2);
    const farMix = rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3);
    const nearMix = rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10);
    w[t] = word(w, t - 16) + farMix + word(w, t - 7) + nearMix;
  }
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  let e = word(state, 4);
  let f = word(state, 5);
  let g = word(state, 6);
  let h = word(state, 7);
  for (let t = 0; t < 64; t += 1) {
    const eMix = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + eMix + ((e & f) ^ (~e & g)) + word(roundConstants, t) + word(w, t)) | 0;
    const aMix = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const second = (aMix + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = word(state, 0) + a;
  state[1] = word(state, 1) + b;
  state[2] = word(state, 2) + c;
  state[3] = word(state, 3) + d;
  state[4] = word(state, 4) + e;
  state[5] = word(state, 5) + f;
  state[6] = word(state, 6) + g;
  state[7] = word(state, 7) + h;
}

function rotate(bits: number, by: number): number {
  return (bits >>> by) | (bits << (32 - by));
}

function word(words: Int32Array, index: number): number {
  return words[index] as number; // proof: every index is a constant or loop bound below the length
}

function toBytes(state: Int32Array): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of state.entries()) view.setInt32(index * 4, value);
  return bytes;
}

function toHex(state: Int32Array): string {
  let hex = "";
  for (const value of state) hex += (value >>> 0).toString(16).padStart(8, "0");
  return hex;
}
