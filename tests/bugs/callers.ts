// The function of the two callers: four steps, of which the first takes long the first time.
import { randomBytes } from "node:crypto";
import type { EffectLog } from "../crash/effects.ts";
import { pause } from "../support/poll.ts";

/** Ends while the second caller is in the middle of its steps. */
const firstMs = 2_200;
const otherMs = 500;
let calls = 0;

/** Runs the steps with the SDK's `run`, and returns their values. */
export async function fourSteps(
  run: (id: string, code: () => Promise<string>) => Promise<string>,
  log: EffectLog,
  runId: string,
): Promise<string[]> {
  const call = String(++calls);
  const isFirst = calls === 1;
  const values: string[] = [];
  for (const step of ["a", "b", "c", "d"]) {
    const value = await run(step, async () => {
      const made = `${step}-${randomBytes(6).toString("hex")}`;
      log.write({ kind: "ran", run: runId, step, attempt: 0, value: made, call });
      await pause(step === "a" && isFirst ? firstMs : otherMs);
      return made;
    });
    log.write({ kind: "saw", run: runId, step, value, call });
    values.push(value);
  }
  return values;
}
