// The simulator's randomness. Each purpose has its own stream, so that taking one thing out of a
// scenario leaves the luck of the others as it was: what makes shrinking work.
import { Random } from "@pawl/engine/random";
import type { Seed } from "@pawl/engine/command-base";

export class Dice {
  readonly #random: Random;

  /** The same seed and stream always throw the same. */
  constructor(seed: number, stream: string) {
    this.#random = new Random([seed >>> 0, hash(stream), Math.floor(seed / 2 ** 32) >>> 0, 1]);
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return this.#random.below(below);
  }

  /** An integer in [min, max]. */
  between(min: number, max: number): number {
    return min + this.#random.below(max - min + 1);
  }

  /** True with this probability. Does not throw when there is nothing to decide. */
  chance(probability: number): boolean {
    if (probability <= 0) return false;
    return this.#random.next32() / 2 ** 32 < probability;
  }

  /** One of the items, all equally likely. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  /** The seed of a command. */
  seed(): Seed {
    return this.#random.seed();
  }

  /** A ULID of the given time, ms since the epoch. */
  ulid(at: number): string {
    return this.#random.ulid(at);
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
