// SHA-1, synchronous and without imports, because step ids are needed in the middle of user code
// on runtimes whose own digest is asynchronous or absent. For ids only, never for secrets.
import { utf8Bytes } from "./utf8.ts";

const encoder = new TextEncoder();
const schedule = new Int32Array(80);
const initial = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
/** Ids are short: their few blocks are built here instead of in fresh memory. */
const scratch = new Uint8Array(256);
/** The end mark and the length. */
const tailBytes = 9;
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** SHA-1 of the UTF-8 bytes of a text, or of bytes, as 40 lower-case hex digits. */
export function sha1Hex(input: string | Uint8Array): string {
  // A UTF-16 unit takes at most three bytes.
  if (typeof input === "string" && input.length * 3 + tailBytes <= scratch.length) {
    return digest(scratch, encoder.encodeInto(input, scratch).written);
  }
  const bytes = typeof input === "string" ? utf8Bytes(input) : input;
  const message = new Uint8Array(wholeBlocks(bytes.length));
  message.set(bytes);
  return digest(message, bytes.length);
}

/** Bytes of a message of `count` bytes with its end. */
function wholeBlocks(count: number): number {
  return (count + tailBytes + 63) & ~63;
}

/** Of the first `count` bytes; what is behind them is overwritten. */
function digest(message: Uint8Array, count: number): string {
  const view = new DataView(message.buffer);
  const length = wholeBlocks(count);
  message.fill(0, count, length);
  message[count] = 0x80;
  view.setUint32(length - 8, Math.floor(count / 0x20000000));
  view.setUint32(length - 4, count << 3);
  const state = new Int32Array(initial);
  for (let at = 0; at < length; at += 64) addBlock(state, view, at);
  let hex = "";
  for (const word of state)
    for (let shift = 24; shift >= 0; shift -= 8) hex += hexOfByte[(word >>> shift) & 255];
  return hex;
}

function addBlock(state: Int32Array, message: DataView, at: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t += 1) w[t] = message.getInt32(at + t * 4);
  for (let t = 16; t < 80; t += 1) {
    w[t] = rotate(word(w, t - 3) ^ word(w, t - 8) ^ word(w, t - 14) ^ word(w, t - 16), 1);
  }
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  let e = word(state, 4);
  for (let t = 0; t < 80; t += 1) {
    const next = (rotate(a, 5) + mix(t, b, c, d) + e + word(w, t)) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  state[0] = word(state, 0) + a;
  state[1] = word(state, 1) + b;
  state[2] = word(state, 2) + c;
  state[3] = word(state, 3) + d;
  state[4] = word(state, 4) + e;
}

/** The round function of step `t` with its constant added. */
function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}

function word(words: Int32Array, index: number): number {
  return words[index] as number; // proof: every index is a constant or loop bound below the length
}
