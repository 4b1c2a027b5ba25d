// The id that published SDKs suppose the span of a step to have, in `inngest.step.parentSpanId`: their
// server takes it from a random generator (https://c2sp.org/chacha8rand) whose seed is the SHA-256 of a
// text, as bytes 16 to 24 of what the generator yields. js 4 seeds it with the hashed id of the step,
// js 3 with `<hashed id>:<attempt>`. Ours are others (`spanIdOf`); this tells which step is meant.
import { hash } from "node:crypto";

const doubleRounds = 4;

/** 16 hex digits. */
export function sdkSpanId(seed: string): string {
  const key = hash("sha256", seed, "buffer");
  const id = Buffer.alloc(8);
  // Blocks lie interleaved in the output: these are word 1 of block 0, then word 1 of block 1.
  id.writeUInt32LE(wordOne(key, 0), 0);
  id.writeUInt32LE(wordOne(key, 1), 4);
  return id.toString("hex");
}

/** Word 1 of a block of ChaCha with 8 rounds, to which chacha8rand adds nothing. */
function wordOne(key: Buffer, counter: number): number {
  const state = new Uint32Array(16);
  state.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);
  for (let word = 0; word < 8; word++) state[4 + word] = key.readUInt32LE(4 * word);
  state[12] = counter;
  for (let round = 0; round < doubleRounds; round++) {
    for (let column = 0; column < 4; column++) mix(state, column, column);
    for (let column = 0; column < 4; column++) mix(state, column, column + 1);
  }
  return state[1] ?? 0;
}

/** A quarter round over a column, or over the diagonal that begins there when `next` is one further. */
function mix(state: Uint32Array, column: number, next: number): void {
  const step = next - column;
  const a = column;
  const b = 4 + ((column + step) % 4);
  const c = 8 + ((column + 2 * step) % 4);
  const d = 12 + ((column + 3 * step) % 4);
  for (const [turnD, turnB] of [
    [16, 12],
    [8, 7],
  ] as const) {
    add(state, a, b);
    turn(state, d, a, turnD);
    add(state, c, d);
    turn(state, b, c, turnB);
  }
}

function add(state: Uint32Array, to: number, from: number): void {
  state[to] = (state[to] ?? 0) + (state[from] ?? 0);
}

function turn(state: Uint32Array, to: number, from: number, bits: number): void {
  const mixed = (state[to] ?? 0) ^ (state[from] ?? 0);
  state[to] = (mixed << bits) | (mixed >>> (32 - bits));
}
