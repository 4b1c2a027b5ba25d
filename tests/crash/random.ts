// Seeded chance for tests: the seed is printed, and the same seed makes the same choices.

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }
}

/** The seed of `PAWL_CRASH_SEED`, or a fresh one. */
export function chooseSeed(): number {
  const given = process.env["PAWL_CRASH_SEED"];
  if (given !== undefined && given !== "") return Number(given);
  return Math.floor(Math.random() * 0x7fff_ffff);
}
