// What every command brings with it. It must not know any command.

/** Four unsigned 32-bit numbers: the command's own source of ids and jitter. */
export type Seed = readonly [number, number, number, number];

/** Its time and its randomness. */
export interface CommandBase {
  /** When it happened, ms since the epoch. */
  readonly at: number;
  readonly seed: Seed;
}
