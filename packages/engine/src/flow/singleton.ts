// Singleton: at most one run at a time for a function or each value of a key, from its start to its
// end. A second one is skipped, or cancels the first (protocol.md 9). A run that gathers events does
// not hold it meanwhile: it asks when its slot closes (protocol.md 5.1, the order of checks).
import type { Draft } from "../draft.ts";
import type { EventRecord, FunctionRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { isWanted, recordKey, wantedHold } from "./holds.ts";
import { shortHash, valueOf } from "./key.ts";
import { flowOf } from "./rules.ts";
import { toJsonText } from "@pawl/protocol/json-text";

/** The key under which a run is the only one; null: it need not be. `false` switches it off. */
export function singletonKey(fn: FunctionRecord, event: EventRecord, at: number): string | null {
  const { singleton } = flowOf(fn);
  if (singleton === null) return null;
  const base = `singleton:${fn.id}`;
  if (singleton.key === null) return base;
  const value = valueOf(singleton.key, event, at);
  return value === false ? null : `${base}:${shortHash(toJsonText(value))}`;
}

/** Why the run may not start beside the one that goes on; null when it may. */
export function singletonProblem(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
): string | null {
  if (flowOf(fn).singleton?.mode !== "skip") return null;
  const holder = holderOf(draft, singletonKey(fn, event, draft.at));
  return holder === null ? null : goesOn(holder);
}

function goesOn(holder: string): string {
  return `singleton: run ${holder} goes on`;
}

/** Makes the run the only one; one that goes on is cancelled. */
export function takeSingleton(run: RunDraft, draft: Draft, fn: FunctionRecord, event: EventRecord) {
  const key = singletonKey(fn, event, draft.at);
  if (key !== null) take(run, key);
}

/** Has a run that gathers ask for the singleton of this event, and of no other, in the end. */
export function wantSingleton(run: RunDraft, fn: FunctionRecord, event: EventRecord): void {
  const key = singletonKey(fn, event, run.draft.at);
  const others = run.run.holds.filter((hold) => !isWanted(hold));
  run.update({ holds: key === null ? others : [...others, wantedHold(key)] });
}

/** A run has gathered its events: takes the singleton that it wants. Why it may not start; null when it may. */
export function claimSingleton(run: RunDraft): string | null {
  const hold = run.run.holds.find(isWanted);
  if (hold === undefined) return null;
  run.update({ holds: run.run.holds.filter((other) => other !== hold) });
  const { singleton } = flowOf(run.draft.state.functionById(run.run.functionId));
  if (singleton === null) return null;
  const key = recordKey(hold);
  const holder = holderOf(run.draft, key);
  if (holder !== null && singleton.mode === "skip") return goesOn(holder);
  take(run, key);
  return null;
}

function take(run: RunDraft, key: string): void {
  const { draft } = run;
  const holder = holderOf(draft, key);
  if (holder !== null) {
    const reason = `singleton: run ${run.id} takes its place`;
    draft.send({ type: "run.cancelled", runId: holder, reason });
  }
  draft.putGate({ kind: "holder", key, runId: run.id });
  run.update({ holds: [...run.run.holds, key] });
}

function holderOf(draft: Pick<Draft, "gateRecord">, key: string | null): string | null {
  const record = key === null ? undefined : draft.gateRecord(key);
  return record?.kind === "holder" ? record.runId : null;
}
