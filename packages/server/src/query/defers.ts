// What a run has deferred, and which run it was deferred by. It must not know how an API writes them.
import type { DeferRecord } from "@pawl/engine/defer-records";
import type { RunRecord } from "@pawl/engine/records";
import { deferredEventName } from "@pawl/protocol/event-wire";
import { fromJsonText } from "@pawl/protocol/json-text";
import { isJsonObject } from "@pawl/protocol/object-reader";
import type { Queries, ShownRun } from "./queries.ts";

export interface ShownDefer {
  readonly defer: DeferRecord;
  /** The run that it started; null: none has started, or its history was removed. */
  readonly run: ShownRun | null;
}

/** Functions that patterns of events start by the same event are few. */
const runsOfEventMax = 20;

/** In order of arrival; null when there is no such run. */
export async function defersOfRun(
  queries: Queries,
  runId: string,
): Promise<readonly ShownDefer[] | null> {
  const state = await queries.state(runId);
  if (state === null) return null;
  return Promise.all(
    state.defers.map(async (defer) => ({ defer, run: await runOf(queries, defer) })),
  );
}

async function runOf(
  queries: Queries,
  { eventId, functionSlug }: DeferRecord,
): Promise<ShownRun | null> {
  if (eventId === null) return null;
  const runs = await queries.runsOfEvent(eventId, runsOfEventMax);
  // Of a function that is gone nobody can say whether it was the one.
  return runs.findLast(({ fn }) => fn === null || fn.slug === functionSlug) ?? null;
}

export interface DeferredFrom {
  readonly parentRunId: string;
  readonly parentFnSlug: string;
}

/** The run that deferred this one; null: none did, or its event was removed. */
export async function deferredFrom(
  queries: Queries,
  { id, eventName }: RunRecord,
): Promise<DeferredFrom | null> {
  if (eventName !== deferredEventName) return null;
  const [event] = (await queries.eventsOfRun(id))?.events ?? [];
  const data = event === undefined ? null : fromJsonText(event.data);
  const internal = isJsonObject(data) ? data["_inngest"] : undefined;
  if (!isJsonObject(internal)) return null;
  const { parent_run_id: parentRunId, parent_fn_slug: parentFnSlug } = internal;
  if (typeof parentRunId !== "string" || typeof parentFnSlug !== "string") return null;
  return { parentRunId, parentFnSlug };
}
