// The randomness of one decision: a small generator started from the command's seed, so that the
// same command always yields the same ids and jitter. It must not be used for secrets.
import { encodeUlid, ulidDigits } from "@pawl/protocol/ulid";
import { hashText, hashUnit, shardCount, shardOfHash } from "./shard.ts";
import type { Seed } from "./command-base.ts";

const maxLow = 2 ** 32 - 1;
/** The greatest value of the last two digits of a ULID. */
const tailMax = 32 * 32 - 1;

/** sfc32 (Chris Doty-Humphrey's "small fast counting" generator), 128 bits of state. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;
  #lastUlid: {
    readonly at: number;
    readonly high: number;
    readonly middle: number;
    readonly low: number;
  } | null = null;

  constructor(seed: Seed) {
    this.#a = seed[0] | 0;
    this.#b = seed[1] | 0;
    this.#c = seed[2] | 0;
    this.#counter = seed[3] | 0;
    // The generator's own recommendation: some rounds mix a poor seed.
    for (let i = 0; i < 12; i++) this.next32();
  }

  /** An unsigned 32-bit number. */
  next32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A number in [0, below), `below` a positive integer up to 2^32. */
  below(below: number): number {
    return Math.floor((this.next32() / 2 ** 32) * below);
  }

  /** A fresh ULID of the given time in ms; those of one ms ascend, so that what one decision makes keeps its order. */
  ulid(at: number): string {
    const last = this.#lastUlid;
    const follows = last !== null && last.at === at && last.low < maxLow;
    const next = follows
      ? { ...last, low: last.low + 1 }
      : { at, high: this.next32() >>> 16, middle: this.next32(), low: this.next32() >>> 1 };
    this.#lastUlid = next;
    return encodeUlid(at, next.high, next.middle, next.low);
  }

  /** A fresh ULID like those of `ulid`, of which the shard is the given one. */
  ulidIn(at: number, shard: number): string {
    for (;;) {
      // Counted on in its last two digits, of which some ending lies in every shard, but for luck.
      const head = this.ulid(at).slice(0, -2);
      const hash = hashText(head);
      const last = this.#lastUlid;
      if (last === null) continue;
      const begin = last.low & tailMax;
      for (let tail = begin; tail <= tailMax; tail++) {
        const ending = ulidDigits.charAt(tail >>> 5) + ulidDigits.charAt(tail & 31);
        const whole = hashUnit(hashUnit(hash, ending.charCodeAt(0)), ending.charCodeAt(1));
        if (shardOfHash(whole, shardCount) !== shard) continue;
        this.#lastUlid = { ...last, low: last.low - begin + tail };
        return head + ending;
      }
      this.#lastUlid = { ...last, low: last.low - begin + tailMax };
    }
  }

  /** A seed for a command that follows from this one. */
  seed(): Seed {
    return [this.next32(), this.next32(), this.next32(), this.next32()];
  }
}
