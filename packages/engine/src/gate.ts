// Names of gates. A gate limits how many calls are out at once and keeps the others in a queue.
import type { RunRecord } from "./records.ts";

/** The gate that every call of an app passes. */
export function appGate(appId: string): string {
  return `app:${appId}`;
}

export function gateOf(run: RunRecord): string {
  return appGate(run.appId);
}
