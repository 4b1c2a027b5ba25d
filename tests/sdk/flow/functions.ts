// One function for each option of flow control, as the published SDKs write them. Their events carry
// the app's id in the name.
import type { Kit } from "../app/kit.ts";

/** The functions of such an app. */
export function flowFunctions({ fn, note, appId }: Kit): readonly unknown[] {
  const event = (name: string): { event: string } => ({ event: `${appId}/${name}` });
  const busy = new Map<unknown, number>();
  return [
    fn(
      { id: "keyed", concurrency: [{ limit: 1, key: "event.data.user" }] },
      event("keyed"),
      async ({ event: { data }, step }) => {
        for (const part of ["one", "two"]) {
          await step.run(part, async () => {
            busy.set(data["user"], (busy.get(data["user"]) ?? 0) + 1);
            note("at once", busy.get(data["user"]));
            await new Promise((resolve) => setTimeout(resolve, 100));
            busy.set(data["user"], (busy.get(data["user"]) ?? 1) - 1);
          });
        }
      },
    ),
    fn({ id: "throttled", throttle: { limit: 1, period: "4s" } }, event("throttled"), () =>
      Date.now(),
    ),
    fn({ id: "limited", rateLimit: { limit: 2, period: "1h" } }, event("limited"), () => "ran"),
    fn({ id: "once", idempotency: "event.data.order" }, event("once"), () => note("once")),
    fn({ id: "last", debounce: { period: "2s" } }, event("last"), ({ event: { data } }) => data),
    fn({ id: "batch", batchEvents: { maxSize: 3, timeout: "2s" } }, event("batch"), ({ events }) =>
      events.map(({ data }) => data["n"]),
    ),
    fn({ id: "single", singleton: { mode: "skip" } }, event("single"), async ({ step }) => {
      await step.sleep("nap", "1s");
    }),
    fn({ id: "newest", singleton: { mode: "cancel" } }, event("newest"), async ({ step }) => {
      await step.sleep("nap", "1s");
    }),
    fn(
      { id: "cancelled", cancelOn: [{ event: `${appId}/stop`, match: "data.id" }] },
      event("cancelled"),
      async ({ step }) => {
        await step.sleep("nap", "3s");
      },
    ),
    fn({ id: "late", timeouts: { finish: "1s" } }, event("late"), async ({ step }) => {
      await step.sleep("nap", "1h");
    }),
  ];
}
