// Priority: how far the calls of a run go ahead of others in the queues of its function.
import type { EventRecord, FunctionRecord } from "../records.ts";
import { valueOf } from "./key.ts";
import { flowOf } from "./rules.ts";

const factorMax = 600;

/** Milliseconds; negative ones let others pass. What is no whole number of seconds counts as 0. */
export function priorityMs(fn: FunctionRecord, event: EventRecord, at: number): number {
  const { priority } = flowOf(fn);
  if (priority === null) return 0;
  const factor = valueOf(priority, event, at);
  if (typeof factor !== "number" || !Number.isInteger(factor)) return 0;
  return Math.min(Math.max(factor, -factorMax), factorMax) * 1_000;
}
