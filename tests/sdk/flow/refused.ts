// Functions whose options cannot work, and what is said about each at sync.
import type { FunctionOptions, Kit } from "../app/kit.ts";

type Options = Omit<FunctionOptions, "id">;

const batchEvents = { maxSize: 2, timeout: "5s" };
const limit = { limit: 1, key: "event.data.a" };

/** Options and the sentence, each a function of an app of its own. */
export const refused: readonly (readonly [Options, RegExp])[] = [
  [{ batchEvents, debounce: { period: "5s" } }, /batchEvents cannot be combined with debounce/],
  [{ batchEvents, rateLimit: { limit: 1, period: "5s" } }, /cannot be combined with rateLimit/],
  [{ batchEvents, priority: { run: "1" } }, /cannot be combined with priority/],
  [{ concurrency: [limit, limit, limit] }, /concurrency has 3 limits; at most 2/],
  [{ concurrency: [{ limit: 1, scope: "env" }] }, /scope "env" needs a key/],
  [{ batchEvents: { maxSize: 1_000, timeout: "5s" } }, /maxSize is 1000; it must be from 2 to 100/],
  [{ batchEvents: { maxSize: 2, timeout: "1h" } }, /batchEvents\.timeout is 1h/],
  [{ rateLimit: { limit: 1, period: "48h" } }, /rateLimit\.period is/],
  [{ throttle: { limit: 1, period: "1s", key: "event.data." } }, /throttle\.key cannot be used/],
];

/** All of them, for an app that serves each apart. */
export function refusedFunctions({ fn }: Kit): readonly unknown[] {
  return refused.map(([options], index) =>
    fn({ ...options, id: `refused-${String(index)}` }, { event: "refused/go" }, () => null),
  );
}
