// The filter that lets every run pass: what questions start from. It must not know who asks.
import type { RunFilter } from "./store.ts";

/** Every run, in the order in which they were made. */
export const everyRun: RunFilter = {
  statuses: null,
  functionIds: null,
  appIds: null,
  by: "queuedAt",
  from: null,
  until: null,
};
