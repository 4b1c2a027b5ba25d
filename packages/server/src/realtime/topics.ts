// What one can subscribe to. It must not know tokens or subscribers.
import { z } from "zod";

/** A topic of a channel, as tokens name it (protocol.md 5.9). The kind tells nothing apart. */
export interface Topic {
  readonly kind: "run" | "event";
  readonly channel: string;
  readonly name: string;
}

/** Topics that only the server publishes on; the channel is the id of a run. */
export const serverTopics = {
  /** Every step that ends, also published under the step's own id. */
  step: "$step",
  /** The end of the run. */
  run: "$run",
  /** Bytes that the run's function streams. */
  stream: "$stream",
} as const;

const names: ReadonlySet<string> = new Set(Object.values(serverTopics));

export function isServerTopic(name: string): boolean {
  return names.has(name);
}

/** A list of topics, as it comes from outside. */
export function topicsSchema(limits: {
  readonly topicsMax: number;
  readonly nameCharsMax: number;
}): z.ZodType<readonly Topic[]> {
  const { topicsMax, nameCharsMax } = limits;
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
