// What one can subscribe to. It must not know tokens or subscribers.

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
