// Topics as they come from outside, in requests and in tokens. Apart from `topics.ts`, so that a server
// that nobody subscribes to need not load what checks them. It must not know tokens or subscribers.
import { z } from "zod";
import type { RealtimeLimits } from "./limits.ts";
import type { Topic } from "./topics.ts";

/** A list of topics, as it comes from outside. */
export function topicsSchema({
  topicsMax,
  nameCharsMax,
}: RealtimeLimits): z.ZodType<readonly Topic[]> {
  const name = z
    .string()
    .min(1)
    .max(nameCharsMax, `longer than ${String(nameCharsMax)} (--realtime-name-chars-max)`);
  const topic = z.object({
    kind: z.enum(["run", "event"]).default("run"),
    channel: name.describe("The channel; the id of a run for what the server tells of it."),
    name: name.describe("The topic: `$run`, `$step`, the id of a step, or one of the app's own."),
    run_id: z.string().optional(),
  });
  const most = `more than ${String(topicsMax)} topics (--realtime-topics-max)`;
  return z.array(topic).min(1, "names no topic").max(topicsMax, most);
}
