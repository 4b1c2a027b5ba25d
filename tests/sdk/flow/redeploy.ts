// The function of an app that is deployed again with another limit.
import type { Kit } from "../app/kit.ts";
import { busyWork } from "./busy.ts";

/** The function with its limit, for calls. */
export function redeployable({ fn, note }: Kit, limit: number): readonly unknown[] {
  const work = busyWork(note, 400);
  return [
    fn({ id: "grown", concurrency: limit }, { event: "redeploy/grown" }, async ({ step }) => {
      for (const part of ["one", "two", "three", "four"]) {
        await step.run(part, () => work("grown"));
        // Ends the call also where SDKs run several steps in one.
        await step.sleepUntil(`behind ${part}`, new Date(0));
      }
    }),
  ];
}
