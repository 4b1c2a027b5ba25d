// Slots: runs that have not begun and still take events, one for a function or each value of a key.
// The slot closes when the first call becomes due (`first-call.ts`), or with the run.
import type { Draft } from "../draft.ts";
import { discoveryTarget } from "../rules/calls.ts";
import type { CallJob, RunParent } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";

/** Begins the keys of slots. */
const slotPrefix = "slot:";

/** The rule name in the key of a slot. */
export function slotRule(kind: "batch" | "debounce"): string {
  return `${slotPrefix}${kind}`;
}

export function isSlot(hold: string): boolean {
  return hold.startsWith(slotPrefix);
}

/** Begins the keys of open batches. */
export const batchPrefix = slotRule("batch");
/** Begins the keys of starts that are put off. */
export const debouncePrefix = slotRule("debounce");

/** Whether a run still takes events. */
export function isGathering({ run }: RunDraft): boolean {
  return run.holds.some(isSlot);
}

/** Whether the start of a run is still put off by further events. */
export function isPutOff({ run }: RunDraft): boolean {
  return run.holds.some((hold) => hold.startsWith(debouncePrefix));
}

/** A run that waits in a slot, and its first call. */
export interface Slot {
  readonly run: RunDraft;
  readonly job: CallJob;
}

/** The run that takes events under a key; null: the next event begins one. */
export function findSlot(draft: Draft, key: string): Slot | null {
  const record = draft.gateRecord(key);
  if (record?.kind !== "open") return null;
  const run = draft.run(record.runId);
  const job = run?.job(discoveryTarget);
  if (run === undefined || run.ended || job?.kind !== "call") return null;
  return run.run.holds.includes(key) ? { run, job } : null;
}

/** Opens a slot for a new run. */
export function openSlot(run: RunDraft, key: string): void {
  run.draft.putGate({ kind: "open", key, runId: run.id });
  run.update({ holds: [...run.run.holds, key] });
}

/** One more waits for the end of a run, and learns which one that is. */
export function addParent(run: RunDraft, parent: RunParent | null): void {
  if (parent === null) return;
  run.update({ coParents: [...run.run.coParents, parent] });
  const { runId, jobId, onCancel } = parent;
  if (onCancel === "gone") return;
  run.draft.send({ type: "child.joined", runId, jobId, childRunId: run.id, onCancel });
}
