// The record of what really happened in apps: one line a fact, written at once and in the order of
// time, by any number of processes. Reading it back is how tests know what ran twice.
import { openSync, readFileSync, writeSync } from "node:fs";

export type Effect =
  /** A handler was called; `key` is the one of its event. */
  | {
      readonly kind: "called";
      readonly run: string;
      readonly fn: string;
      readonly key: string;
      readonly call: string;
    }
  /** A step's code has begun, and will return `value` (unless it is to fail). */
  | {
      readonly kind: "ran";
      readonly run: string;
      readonly step: string;
      readonly attempt: number;
      readonly value: string;
      readonly call: string;
    }
  /** The function went on with this value of the step: the server has acknowledged it. */
  | {
      readonly kind: "saw";
      readonly run: string;
      readonly step: string;
      readonly value: string;
      readonly call: string;
    };

/** Writes facts; each is in the file when `write` returns. */
export class EffectLog {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(effect: Effect): void {
    writeSync(this.#file, `${JSON.stringify(effect)}\n`);
  }
}

/** All facts in the order in which they happened. */
export function readEffects(path: string): Effect[] {
  const lines = readFileSync(path, "utf8").split("\n");
  // proof: only EffectLog writes the file
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Effect);
}
