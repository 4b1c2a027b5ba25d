// The birth of a run, and the key that keeps it from being born twice.
import type { EventRecord, FunctionRecord, RunParent } from "../records.ts";
import type { Draft } from "../draft.ts";
import type { RunDraft } from "../run-draft.ts";
import { keyGates } from "../flow/concurrency.ts";
import { addCall, attemptsMaxOf, discoveryTarget } from "./calls.ts";

/** Creates a run and its first call, which waits for the event's time when that is to come. */
export function startRun(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  caller: { readonly id: string | null; readonly parent: RunParent | null },
): RunDraft {
  const run = draft.newRun(
    {
      id: caller.id ?? draft.random.ulid(draft.at),
      functionId: fn.id,
      appId: fn.appId,
      functionVersion: fn.version,
      status: "queued",
      eventIds: [event.id],
      eventName: event.name,
      queuedAt: draft.at,
      startedAt: null,
      endedAt: null,
      requestVersion: -1,
      forcePlan: false,
      generation: 0,
      idleDiscoveries: 0,
      parent: caller.parent,
      originalRunId: null,
      endReason: null,
      coParents: [],
      gates: keyGates(fn, event, draft.at),
      holds: [],
      priorityMs: 0,
      batchId: null,
    },
    [event],
  );
  addCall(
    run,
    {
      id: discoveryTarget,
      target: discoveryTarget,
      displayName: fn.name,
      userId: null,
      userIndex: 0,
      stepType: null,
      opts: null,
      parallel: false,
      race: false,
      attempt: 0,
      attemptsMax: attemptsMaxOf(run, fn, null),
    },
    event.ts,
  );
  return run;
}

/** A second event with the same id starts nothing (protocol.md 4): the key, per function. */
export function idempotencyKey(fn: FunctionRecord, event: EventRecord): string | null {
  return event.externalId === null ? null : `${fn.id}:${event.externalId}`;
}
