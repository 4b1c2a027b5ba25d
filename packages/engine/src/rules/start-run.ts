// The birth of a run: its record, without anything that would make it go on.
import type { EventRecord, FunctionRecord, RunParent, RunSchedule } from "../records.ts";
import type { Draft } from "../draft.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";
import { keyGates } from "../flow/concurrency.ts";
import { newRunId } from "../flow/placement.ts";
import { priorityMs } from "../flow/priority.ts";

/** A function that others may start by its name: an endpoint is started by requests alone. */
export function startableFunction(
  state: Pick<StateView, "functionBySlug">,
  slug: string,
): FunctionRecord | undefined {
  const fn = state.functionBySlug(slug);
  return fn?.endpoint === true ? undefined : fn;
}

/** A queued run without a call. */
export function newRun(
  draft: Draft,
  fn: FunctionRecord,
  event: EventRecord,
  caller: {
    readonly runId: string | null;
    readonly parent: RunParent | null;
    readonly schedule?: RunSchedule;
  },
): RunDraft {
  return draft.newRun(
    {
      id: caller.runId ?? newRunId(draft, fn, event),
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
      coParents: [],
      originalRunId: null,
      endReason: null,
      gates: keyGates(fn, event, draft.at),
      holds: [],
      priorityMs: priorityMs(fn, event, draft.at),
      batchId: null,
      schedule: caller.schedule ?? null,
    },
    [event],
  );
}
