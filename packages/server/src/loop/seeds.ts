// The randomness that commands carry, drawn from the system's generator in blocks: one call for
// a thousand seeds costs little more than one for one.
import { getRandomValues } from "node:crypto";
import type { Seed } from "@pawl/engine/command-base";

/** Gives each command its seed. */
export type SeedSource = () => Seed;

const seedsPerBlock = 1_024;

/** Seeds that nobody can guess, so that ids made from them may be shown to anybody. */
export function systemSeeds(): SeedSource {
  const block = new Uint32Array(seedsPerBlock * 4);
  let next = block.length;
  const word = (): number => block[next++] ?? 0; // within the block: refilled below
  return () => {
    if (next >= block.length) {
      getRandomValues(block);
      next = 0;
    }
    return [word(), word(), word(), word()];
  };
}
